"""A broken plugin, a slow one, clashing ones: the command line works with all of them installed, and says which."""

from __future__ import annotations

import json
from typing import Any

import pytest

COMMAND = """
import click
from sfactl.api import hookimpl
from sfactl.api.offers import CommandOffer

@click.command()
@click.option("--fail", is_flag=True)
@click.pass_obj
def hello(context, fail):
    "Say hello."
    if fail:
        raise KeyError("nothing here")
    click.echo(f"hello from {context.workspace.name}")

@hookimpl
def sfactl_commands():
    return [CommandOffer(name="hello", summary="Say hello", target=__name__ + ":hello")]
"""

IMPOSTOR = """
from sfactl.api import hookimpl
from sfactl.api.offers import ErpConnectorOffer

@hookimpl
def sfactl_erp_connectors():
    return [ErpConnectorOffer(name="files", summary="Not the real one", target=__name__ + ":Files")]
"""

UNFIT = """
from sfactl.api import hookimpl
from sfactl.api.offers import LeadSourceOffer
from sfactl.config import objects

class Settings:
    pass

class Source:
    def __init__(self, settings):
        pass
    def pull(self):
        pass

@hookimpl
def sfactl_lead_sources():
    return [LeadSourceOffer(name="unfit", summary="x", target=__name__ + ":Source", settings=__name__ + ":Settings",
                            secrets=("token",)),
            LeadSourceOffer(name="gone", summary="x", target="no_such_module:Source")]
"""


@pytest.fixture
def zoo(site: Any) -> Any:
    """One plugin of every trouble."""
    site.source("sfactl-source-good", "good")
    site.install("sfactl-source-broken", "import no_such_module_at_all")
    site.source("sfactl-source-slow", "slow", before="import time; time.sleep(0.3)")
    site.source("sfactl-source-one", "same")
    site.source("sfactl-source-two", "same")
    site.install("sfactl-erp-impostor", IMPOSTOR)
    site.install("sfactl-x-hello", COMMAND)
    return site


def rows(zoo: Any, *arguments: str) -> dict[str, dict[str, Any]]:
    done = zoo.sfactl("plugin", "list", "--slow", "0.25", "--format", "json", *arguments)
    assert done.returncode == 0, done.stderr
    return {row["plugin"]: row for row in json.loads(done.stdout)["result"]}


def test_list_names_what_is_wrong_with_each(zoo: Any) -> None:
    found = rows(zoo)
    assert found["source-good"]["state"] == "ok"
    assert found["source-broken"]["state"] == "broken"
    assert "no_such_module_at_all" in found["source-broken"]["problem"]
    assert found["source-slow"]["state"] == "slow"
    assert found["source-one"]["state"] == found["source-two"]["state"] == "clash"
    assert "sfactl-source-one 1.2 and sfactl-source-two 1.2" in found["source-one"]["problem"]
    assert found["erp-impostor"]["state"] == "clash"
    assert "sfactl itself" in found["erp-impostor"]["problem"]
    assert found["orders"]["state"] == "ok"


def test_people_are_told_in_lines(zoo: Any) -> None:
    done = zoo.sfactl("plugin", "list", "--slow", "0.25")
    assert done.stderr == ""
    assert "source-broken: import: ModuleNotFoundError: No module named 'no_such_module_at_all'" in done.stdout
    assert "source-slow: took" in done.stdout


def test_check_fails_in_part_and_shows_the_traceback_of_one(zoo: Any) -> None:
    done = zoo.sfactl("plugin", "check", "--format", "json")
    assert done.returncode == 3
    result = json.loads(done.stdout)["result"]
    failed = {report["plugin"] for report in result["plugins"] if not report["ok"]}
    assert failed >= {"source-broken", "source-one", "source-two", "erp-impostor"}
    assert not failed & {"source-good", "orders", "x-hello"}
    one = zoo.sfactl("plugin", "check", "sfactl-source-broken")
    assert one.returncode == 1
    assert "Traceback" in one.stdout
    assert "1 of 1 failed: source-broken." in one.stdout


def test_a_disabled_plugin_is_left_alone(zoo: Any) -> None:
    done = zoo.sfactl("--no-plugin", "sfactl-source-broken", "plugin", "list", "--format", "json")
    states = {row["plugin"]: row["state"] for row in json.loads(done.stdout)["result"]}
    assert states["source-broken"] == "disabled"
    done = zoo.sfactl("--no-plugin", "sfactl-source-brokn", "plugin", "list")
    assert "sfactl-source-brokn: is disabled, but not installed" in done.stdout


def test_a_command_of_a_plugin_runs_and_notes_stay_on_stderr(zoo: Any) -> None:
    done = zoo.sfactl("x", "hello")
    assert (done.returncode, done.stdout) == (0, f"hello from {zoo.folder.parent.name}\n")
    assert "plugin source-broken (sfactl-source-broken 1.2) is broken" in done.stderr
    quiet = zoo.sfactl("--quiet", "x", "hello")
    assert quiet.stderr == ""


def test_what_goes_wrong_in_a_command_is_the_plugins_fault(zoo: Any) -> None:
    done = zoo.sfactl("--quiet", "x", "hello", "--fail")
    assert done.returncode == 1
    assert done.stderr.startswith("error [plugin] command 'hello' of sfactl-x-hello 1.2 failed: KeyError")
    assert "bug" not in done.stderr


def test_help_lists_commands_of_plugins(zoo: Any) -> None:
    assert "hello  Say hello" in zoo.sfactl("--quiet", "x", "--help").stdout
    done = zoo.sfactl("--quiet", "x", "helo")
    assert done.returncode == 2
    assert "Did you mean hello?" in done.stderr


def test_check_looks_into_the_plugin(site: Any) -> None:
    site.install("sfactl-source-unfit", UNFIT)
    done = site.sfactl("plugin", "check", "source-unfit", "--format", "json")
    (report,) = json.loads(done.stdout)["result"]["plugins"]
    said = "\n".join(
        f"{check['what']}: {check['detail']}" for check in report["checks"] if check["verdict"] == "failed"
    )
    assert "Source(settings, context) cannot be called" in said
    assert "Source lacks check" in said
    assert "Settings is not a dataclass" in said
    assert "no_such_module:Source: ModuleNotFoundError" in said
    assert "sfactl_source_unfit.py:4 imports sfactl.config" in said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["check", "sfactl-source-goo"], 2, "Did you mean sfactl-source-good?"),
        (["new", "sender", "Bad Name"], 2, "is no name for a plugin"),
        (["new", "sendr", "x"], 2, "is not one of"),
    ],
    ids=["unknown", "name", "kind"],
)
def test_mistakes(zoo: Any, arguments: list[str], code: int, said: str) -> None:
    done = zoo.sfactl("plugin", *arguments)
    assert done.returncode == code
    assert said in done.stderr


def test_new_with_dry_run_writes_nothing(site: Any) -> None:
    before = sorted(site.folder.parent.rglob("*"))
    done = site.sfactl("plugin", "new", "erp", "mini", "--dry-run")
    assert done.stdout.startswith("Would create")
    assert sorted(site.folder.parent.rglob("*")) == before
