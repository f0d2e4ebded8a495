"""How a call ends: exit codes, words on stderr, the error envelope, and never a traceback by itself."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from sfactl.api import errors
from sfactl.cli import groups, options
from sfactl.cli.app import App, Output, pass_app

Call = Callable[..., Any]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Add a command ``sfactl lead fail`` that raises what it is given."""

    def arrange(error: BaseException) -> None:
        @click.group()
        def lead() -> None:
            """Leads."""

        @lead.command()
        @options.output
        @pass_app
        def fail(_app: App, *, output: Output) -> None:
            """Fail."""
            raise error

        original = groups.LazyGroups.get_command

        def get_command(self: groups.LazyGroups, ctx: click.Context, name: str) -> click.Command | None:
            return lead if name == "lead" else original(self, ctx, name)

        monkeypatch.setattr(groups.LazyGroups, "get_command", get_command)

    return arrange


CODES = {
    "user": (errors.UserError("no"), 2),
    "not found": (errors.NotFound("no"), 2),
    "config": (errors.ConfigError("no"), 2),
    "policy": (errors.PolicyError("no"), 2),
    "auth": (errors.AuthError("no"), 1),
    "later": (errors.TryLater("no"), 1),
    "locked": (errors.LockBusy("no"), 1),
    "storage": (errors.StorageError("no"), 1),
    "plugin": (errors.PluginError("no"), 1),
    "conflict": (errors.Conflict("no"), 5),
    "ambiguous": (errors.Ambiguous("no"), 1),
}


@pytest.mark.parametrize(("error", "code"), CODES.values(), ids=CODES)
def test_exit_codes(sfactl: Call, failing: Call, error: errors.SfactlError, code: int) -> None:
    error.hint = "Do this."
    failing(error)
    answer = sfactl("lead", "fail")
    assert (answer.code, answer.out) == (code, "")
    assert answer.err == f"error [{error.code}] no\nDo this.\n"


def test_with_json_an_error_is_an_envelope_on_stdout(sfactl: Call, failing: Call) -> None:
    failing(errors.Conflict("the data moved", hint="Make a new plan."))
    answer = sfactl("lead", "fail", "--format", "json")
    assert answer.code == 5
    assert answer.err == ""
    assert answer.out == (
        '{\n  "schema": 1,\n  "command": "lead fail",\n  "status": "error",\n  "error": {\n'
        '    "code": "conflict",\n    "message": "the data moved",\n    "hint": "Make a new plan."\n  }\n}\n'
    )


USAGE = {
    "group": (["ldea"], "There is no command 'ldea'. Did you mean 'lead'?", "sfactl"),
    "alias": (["op"], "There is no command 'op'. Did you mean 'opp'?", "sfactl"),
    "verb": (["config", "expalin"], "No such command 'expalin'. Did you mean 'explain'?", "sfactl config"),
    "option": (["config", "list", "--fromat", "json"], "No such option '--fromat'. Did you mean", "sfactl config list"),
    "argument": (["config", "get"], "Missing argument 'KEY'.", "sfactl config get"),
}


@pytest.mark.parametrize(("args", "message", "where"), USAGE.values(), ids=USAGE)
def test_usage(sfactl: Call, monkeypatch: pytest.MonkeyPatch, args: list[str], message: str, where: str) -> None:
    monkeypatch.setattr(groups, "exists", lambda name: name in groups.GROUPS)
    monkeypatch.setattr(groups.LazyGroups, "get_command", _only_config)
    answer = sfactl(*args)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith(f"error [usage] {message}")
    assert answer.err.endswith(f"See: {where} --help\n")


def _only_config(_self: groups.LazyGroups, _ctx: click.Context, name: str) -> click.Command | None:
    from sfactl.cli.config import group

    return group if name == "config" else None


def test_usage_errors_have_an_envelope_too(sfactl: Call) -> None:
    answer = sfactl("config", "get", "--format", "json")
    assert answer.code == 2
    assert answer.json["command"] == "config get"
    assert answer.json["error"]["code"] == "usage"


def test_no_workspace(sfactl: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answer = sfactl("config", "list")
    assert answer.code == 2
    assert "no workspace here" in answer.err
    assert "sfactl init DIR" in answer.err


def test_our_own_bug_says_so_and_keeps_the_traceback(
    sfactl: Call, failing: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    failing(ZeroDivisionError("division by zero"))
    answer = sfactl("lead", "fail")
    assert answer.code == 1
    assert "error [bug] this is a bug in sfactl: ZeroDivisionError: division by zero" in answer.err
    assert "Traceback" not in answer.err
    (log,) = tmp_path.glob("sfactl-bug-*.log")
    assert str(log) in answer.err
    assert "ZeroDivisionError" in log.read_text(encoding="utf-8")
    assert log.stat().st_mode & 0o077 == 0


def test_debug_shows_the_traceback(sfactl: Call, failing: Call) -> None:
    failing(errors.UserError("no"))
    assert "Traceback" in sfactl("--debug", "lead", "fail").err


OS_ERRORS = {
    "full": (errno.ENOSPC, "the disk is full"),
    "quota": (errno.EDQUOT, "the disk is full"),
    "read-only": (errno.EROFS, "no right to read or write"),
    "forbidden": (errno.EACCES, "no right to read or write"),
    "broken disk": (errno.EIO, "the disk failed"),
}


@pytest.mark.parametrize(("number", "words"), OS_ERRORS.values(), ids=OS_ERRORS)
def test_what_the_machine_refuses(sfactl: Call, failing: Call, number: int, words: str) -> None:
    failing(OSError(number, "refused", "leads.csv"))
    answer = sfactl("lead", "fail")
    assert answer.code == 1
    assert answer.err.startswith(f"error [storage] {words} (leads.csv)")


def test_interruption_is_one_line(sfactl: Call, failing: Call) -> None:
    failing(KeyboardInterrupt())
    answer = sfactl("lead", "fail")
    assert (answer.code, answer.out) == (130, "")
    assert answer.err == "Interrupted. What was committed before stays.\n"


@pytest.mark.parametrize(("said", "code"), [(None, 0), (3, 3), ("no", 1)], ids=str)
def test_a_command_may_leave_with_a_code(sfactl: Call, failing: Call, said: object, code: int) -> None:
    failing(SystemExit(said))
    assert sfactl("lead", "fail").code == code


def test_a_group_that_cannot_be_imported_does_not_stop_the_others(
    sfactl: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(groups, "import_module", broken)
    assert sfactl("--help").code == 0
    assert "this is a bug in sfactl" in sfactl("config", "list").err


def test_version(sfactl: Call) -> None:
    from sfactl import __version__

    assert sfactl("--version").out == f"sfactl {__version__}\n"


def test_a_group_without_a_verb_shows_its_help(sfactl: Call) -> None:
    answer = sfactl("config")
    assert answer.code == 2
    assert "Usage: sfactl config" in answer.err
