"""The examples of docs/running.md are right: read by the parsers of their own worlds, and done as a CI job does them."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sfactl.cli.main import main
from tests.docs.console import ROOT, blocks, follow, quiet_environment

EXAMPLES = ROOT / "docs" / "examples"
GUIDE = ROOT / "docs" / "running.md"
SECRET = "hunter2-never-told"
BIN = Path(sys.executable).parent


def workflow() -> dict[str, Any]:
    yaml = pytest.importorskip("ruamel.yaml")
    loaded: dict[str, Any] = yaml.YAML(typ="safe").load(EXAMPLES / "github-actions.yml")
    return loaded


def test_the_workflow_is_one_by_the_schema_of_github() -> None:
    pytest.importorskip("check_jsonschema")
    from check_jsonschema import main as check
    from click.testing import CliRunner

    done = CliRunner().invoke(
        check, ["--builtin-schema", "vendor.github-workflows", str(EXAMPLES / "github-actions.yml")]
    )
    assert done.exit_code == 0, done.output


def test_the_schema_finds_a_mistake(tmp_path: Path) -> None:
    pytest.importorskip("check_jsonschema")
    from check_jsonschema import main as check
    from click.testing import CliRunner

    text = (EXAMPLES / "github-actions.yml").read_text(encoding="utf-8")
    (tmp_path / "bad.yml").write_text(text.replace("cancel-in-progress: false", "cancel: never"), encoding="utf-8")
    assert (
        CliRunner().invoke(check, ["--builtin-schema", "vendor.github-workflows", str(tmp_path / "bad.yml")]).exit_code
        == 1
    )


def test_the_workflow_never_runs_twice_at_once_and_asks_at_times_that_can_be() -> None:
    from sfactl.engine.schedules import parse_schedule

    read = workflow()
    assert read["jobs"]["run"]["concurrency"] == {"group": "sfactl-run", "cancel-in-progress": False}
    assert [parse_schedule(one["cron"]).is_cron for one in read["on"]["schedule"]] == [True]


@pytest.fixture
def acme(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace of the guide, on Monday at nine, with its data store."""
    quiet_environment(monkeypatch, now="2026-11-23T01:05")
    for name in ("GITHUB_STEP_SUMMARY", "SFACTL_ACTOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    follow(
        [b for b in blocks(GUIDE) if b.language != "console" and not b.path.startswith("segments/")],
        capsys,
        monkeypatch,
    )
    file = tmp_path / "acme" / "sfactl.toml"
    file.write_text(file.read_text(encoding="utf-8") + '[env.prod.workspace]\nname = "Acme (live)"\n', encoding="utf-8")
    (tmp_path / "acme" / "reports").mkdir(exist_ok=True)
    return tmp_path / "acme"


def test_the_steps_of_the_workflow_do_what_is_due(acme: Path) -> None:
    """A job as the runner does it: each step a script of its own in bash, in one folder and environment."""
    bash = shutil.which("bash") or pytest.skip("no bash here")
    job = workflow()["jobs"]["run"]
    summary = acme.parent / "summary.md"
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("SFACTL_")},
        **{k: SECRET if "secrets." in v else v for k, v in job["env"].items()},
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(summary),
        "SFACTL_NOW": "2026-11-23T01:05",
    }
    scripts = [step for step in job["steps"] if "run" in step and step["name"] != "Install"]
    said = ""
    for step in scripts:
        done = subprocess.run(
            [bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=acme, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said += done.stdout + done.stderr
    answer = json.loads((acme / "run.json").read_text(encoding="utf-8"))
    assert (answer["schema"], answer["command"], answer["status"]) == (1, "run", "ok")
    assert (answer["result"]["batch"], answer["result"]["env"]) == (1, "prod")
    assert [(j["job"], j["state"]) for j in answer["result"]["jobs"]][:2] == [("scores", "done"), ("segments", "done")]
    shown = summary.read_text(encoding="utf-8")
    assert shown.startswith("## sfactl run 1 · prod · 2026-11-23 09:05 Asia/Taipei")
    assert "| ✓ | scores | done |" in shown
    everything = said + shown + "".join(p.read_text(errors="replace") for p in acme.rglob("*") if p.is_file())
    assert SECRET not in everything


def test_the_line_of_cron(acme: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    crontab = pytest.importorskip("crontab")
    table = crontab.CronTab(tabfile=str(EXAMPLES / "crontab"), user=False)
    (line,) = list(table)
    assert line.is_valid()
    assert str(line.slices) == "*/15 * * * *"
    from sfactl.engine.schedules import parse_schedule

    assert parse_schedule(str(line.slices)).is_cron
    (text,) = [t for t in (EXAMPLES / "crontab").read_text(encoding="utf-8").splitlines() if t.startswith("*")]
    assert "%" not in text, "cron takes % for a line break"
    settings = {k: v for k, v in table.env.items() if k.startswith("SFACTL_")}
    monkeypatch.setenv("SFACTL_WORKSPACE", settings["SFACTL_WORKSPACE"].replace("/srv/acme", str(acme)))
    monkeypatch.setenv("SFACTL_ENV", settings["SFACTL_ENV"])
    command, _, other = text.split(maxsplit=5)[5].partition(" || ")
    assert other.startswith("echo ")
    assert main([word.replace("/srv/acme", str(acme)) for word in shlex.split(command)[1:]]) == 0
    assert capsys.readouterr().out == ""
    assert (acme / "reports" / "run.md").read_text(encoding="utf-8").startswith("## sfactl run 1 · prod")
    assert json.loads((acme / "reports" / "run.json").read_text(encoding="utf-8"))["status"] == "ok"


def test_the_units_of_systemd(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze") or pytest.skip("no systemd here")
    for name in ("sfactl-run.service", "sfactl-run.timer"):
        text = (EXAMPLES / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(
            text.replace("/srv/acme/.venv/bin/sfactl", "/bin/true").replace("User=sfactl\n", "")
        )
    done = subprocess.run(
        [verify, "verify", "--man=no", *(str(tmp_path / n) for n in ("sfactl-run.service", "sfactl-run.timer"))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, [line for line in done.stderr.splitlines() if "sfactl-run" in line]) == (0, []), (
        done.stderr
    )


def test_the_command_of_the_unit_can_be_parsed() -> None:
    from sfactl.cli.main import root

    (line,) = [
        text.removeprefix("ExecStart=")
        for text in (EXAMPLES / "sfactl-run.service").read_text(encoding="utf-8").splitlines()
        if text.startswith("ExecStart=")
    ]
    words = shlex.split(line)[1:]
    ctx = root.make_context("sfactl", words, resilient_parsing=False)
    assert ctx.params["quiet"] is True
    name, group, rest = root.resolve_command(ctx, [*ctx._protected_args, *ctx.args])
    assert name == "run"
    assert group is not None
    assert group.make_context("run", rest, parent=ctx).params["is_due"] is True
