"""``sfactl source``: the places that leads are pulled from."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.leads.model import SourceCheck


@click.group()
def group() -> None:
    """Sources: places that leads are pulled from."""


@group.command("list")
@options.output
@pass_app
def list_(app: App, *, output: Output) -> None:
    """List the sources of the workspace, the files in sources/, and how far each was pulled.

    \b
    Example:
      sfactl source list
    """
    from sfactl.leads.usecases import list_sources

    rows = list_sources(app.session())
    output.emit(rows)


@group.command()
@click.argument("names", nargs=-1)
@options.output
@pass_app
def check(app: App, names: tuple[str, ...], *, output: Output) -> None:
    """Ask the sources NAMES, or all, whether they answer; pull nothing.

    \b
    Example:
      sfactl source check web-forms
    """
    from sfactl.leads.usecases import check_sources

    checks = check_sources(app.session(), names)
    output.emit(checks, human=lambda: _checked(checks), exit_code=0 if all(c.ok for c in checks) else 1)


def _checked(checks: tuple[SourceCheck, ...]) -> Iterator[str]:
    if not checks:
        yield 'No sources yet. Make one: sources/NAME.toml with schema = 1 and use = "file"'
    for found in checks:
        facts = ", ".join(f"{k} {v}" for k, v in found.facts.items())
        yield f"{'ok   ' if found.ok else 'error'} {found.source} ({found.use}){': ' + facts if facts else ''}"
        for problem in found.problems:
            yield f"      {problem}"


for _module in ("source_files", "source_money"):
    import_module(f"sfactl.cli.{_module}").register(group)
