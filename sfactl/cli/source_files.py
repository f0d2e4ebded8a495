"""``sfactl source new``, ``show`` and ``reset``; registered by the group ``source``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.leads.model import SourceDetail, SourceReset


def register(group: click.Group) -> None:
    """Add the commands to ``group``."""
    for command in (new, show, reset):
        group.add_command(command)


@click.command()
@click.argument("name")
@click.option("--use", required=True, metavar="OFFER", help="What it pulls with: file, http, singer … (plugin list).")
@options.dry_run
@options.output
@pass_app
def new(app: App, name: str, *, use: str, dry_run: bool, output: Output) -> None:
    """Begin the source NAME: write sources/NAME.toml with every setting of the offer in it.

    \b
    Example:
      sfactl source new web-forms --use http
    """
    from sfactl.leads.usecases import new_source

    made = new_source(app.session(dry_run=dry_run), name, use=use)
    written = "Dry run: would write" if dry_run else "Wrote"
    output.emit(made, human=lambda: [f"{written} {made.file}. Fill it in, then: sfactl source check {name}"])


@click.command()
@click.argument("name")
@options.output
@pass_app
def show(app: App, name: str, *, output: Output) -> None:
    """Show one source: its settings, how far it was pulled, and its last pages.

    \b
    Example:
      sfactl source show web-forms
    """
    from sfactl.leads.usecases import show_source

    detail = show_source(app.session(), name)
    output.emit(detail, human=lambda: _shown(detail))


@click.command()
@click.argument("name")
@options.dry_run
@options.output
@pass_app
def reset(app: App, name: str, *, dry_run: bool, output: Output) -> None:
    """Forget how far the source NAME was pulled: the next pull begins at its start.

    Leads stay as they are. Rows that come again are matched by their keys and add nothing.

    \b
    Example:
      sfactl source reset web-forms
    """
    from sfactl.leads.usecases import reset_source

    done = reset_source(app.session(dry_run=dry_run), name)
    output.emit(done, human=lambda: [_reset(done)])


def _reset(done: SourceReset) -> str:
    if done.cursor is None:
        return f"{done.source} was never pulled. Nothing to forget."
    if done.dry_run:
        return f"Dry run: would forget how far {done.source} was pulled."
    return f"{done.source}: the next pull begins at its start. Undo with: sfactl data undo {done.commit}"


def _shown(detail: SourceDetail) -> Iterator[str]:
    import json

    yield f"{detail.source} (use {detail.use})"
    for key, value in detail.settings.items():
        yield f"  {key} = {json.dumps(value, ensure_ascii=False, default=str)}"
    cursor = "never pulled" if detail.cursor is None else json.dumps(detail.cursor, ensure_ascii=False)
    yield f"Cursor: {cursor}"
    for done in detail.pulls:
        known = f"{done.updated:,} updated · {done.unchanged:,} unchanged · {done.rejected:,} rejected"
        yield f"  {done.at:%Y-%m-%d %H:%M}  {done.rows:,} rows · {done.new:,} new · {known}"
