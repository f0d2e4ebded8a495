"""Help is written in sentences with an example under each command, and fits 80 columns."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from sfactl.cli import groups
from sfactl.cli.main import root

GOLDEN = Path(__file__).parent / "golden"
Call = Callable[..., Any]


def _walk(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group) and path != ("x",):  # what is under x is the plugins' own
        ctx = click.Context(command, info_name=path[-1] if path else "sfactl")
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            assert found is not None
            yield from _walk(found, (*path, name))


COMMANDS = {" ".join(path): command for path, command in _walk(root, ()) if path}
LEAVES = {name: c for name, c in COMMANDS.items() if not isinstance(c, click.Group)}

READS = frozenset(
    [
        "report",
        "assign-plan",
        "backtest",
        "completion",
        "conflicts",
        "doctor",
        "sql",
        "status",
        "check",
        "check-domain",
        "diff",
        "explain",
        "files",
        "get",
        "history",
        "items",
        "list",
        "log",
        "matrix",
        "members",
        "models",
        "preview",
        "queue",
        "reconcile",
        "schema",
        "senders",
        "sign",
        "simulate",
        "show",
        "size",
        "verify",
        "why-not",
        "changes",
        "duplicates",
        "lookup",
        "open",
        "pairs",
        "test",
        "valid",
        "versions",
    ]
)
"""Groups and verbs that change nothing in the workspace."""

ONE_LINE = {"completion", "data adopt", "report html", "touch sign"}
"""Commands whose answer is not data: a script, a line that says it is done, a file of its own form."""


def _reads(name: str) -> bool:
    """Whether the command only reads: by its group, its verb, or because it can look at the past."""
    opts = [opt for p in LEAVES[name].params for opt in p.opts]
    return "--as-of" in opts or bool(READS & {name.replace(" ", "-"), name.split()[0], name.split()[-1]})


WRITES = [name for name in LEAVES if not _reads(name)]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_in_sentences(name: str) -> None:
    text = inspect.cleandoc(COMMANDS[name].help or "")
    assert text, "there is no help"
    first = text.split("\n\n")[0].replace("\n", " ").strip()
    assert re.match(r"[A-Z]", first), first
    assert first.endswith((".", "?")), first


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_has_an_example_that_calls_it(name: str) -> None:
    text = inspect.cleandoc(LEAVES[name].help or "")
    assert re.search("\b\nExample:\n", text), "there is no Example"
    example = text.split("Example", 1)[1]
    called = [" ".join(groups.ALIASES.get(w, w) for w in line.split()) for line in example.splitlines()]
    assert any(re.search(rf"sfactl\b.*\b{re.escape(name)}\b", line) for line in called), example


@pytest.mark.parametrize("name", LEAVES)
def test_every_option_is_explained(name: str) -> None:
    silent = [p.opts[0] for p in LEAVES[name].params if isinstance(p, click.Option) and not p.help]
    assert silent == []


@pytest.mark.parametrize("name", WRITES)
def test_every_writing_command_has_a_dry_run(name: str) -> None:
    assert "--dry-run" in [opt for p in LEAVES[name].params for opt in p.opts]


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_has_output_forms(name: str) -> None:
    if name not in ONE_LINE:
        assert "--format" in [opt for p in LEAVES[name].params for opt in p.opts]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_80_columns(sfactl: Call, name: str) -> None:
    answer = sfactl(*name.split(), "--help")
    assert answer.code == 0
    assert [line for line in answer.out.splitlines() if len(line) > 80] == []


FRAME = ["", "init", "status", "doctor", "sql", "completion", "config", *(n for n in LEAVES if n.startswith("config "))]


@pytest.mark.parametrize("name", FRAME)
def test_the_help_of_the_frame_is_pinned(sfactl: Call, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "exists", lambda name: name in groups.GROUPS)
    path = GOLDEN / f"help-{name.replace(' ', '-') or 'sfactl'}.txt"
    out = sfactl(*name.split(), "--help").out
    if os.environ.get("SFACTL_UPDATE_GOLDEN"):
        path.write_text(out, encoding="utf-8")
    assert out == path.read_text(encoding="utf-8")


SHELLS = {"bash": "complete -o nosort -F", "zsh": "#compdef sfactl", "fish": "complete --no-files --command sfactl"}


@pytest.mark.parametrize(("shell", "mark"), SHELLS.items(), ids=SHELLS)
def test_completion_scripts(sfactl: Call, shell: str, mark: str) -> None:
    out = sfactl("completion", shell).out
    assert mark in out
    assert "_SFACTL_COMPLETE" in out


SOURCES = sorted((Path(__file__).resolve().parents[2] / "sfactl").rglob("*.py"))
MENTION = re.compile(r"\bsfactl (?:-w \S+ )?([a-z][a-z-]*) ([a-z][a-z-]*)\b")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_command_that_a_text_names_exists(path: Path) -> None:
    """A hint that names a command which is not there is worse than none."""
    for group, verb in MENTION.findall(path.read_text(encoding="utf-8")):
        group = groups.ALIASES.get(group, group)
        if isinstance(COMMANDS.get(group), click.Group) and group != "x":
            assert f"{group} {verb}" in COMMANDS, f"sfactl {group} {verb}"


def test_every_group_of_the_table_is_there() -> None:
    assert [name for name in groups.GROUPS if not groups.exists(name)] == []
