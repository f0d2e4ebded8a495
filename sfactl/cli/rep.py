"""``sfactl rep``: the people who sell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.reps.model import RepsChanged

FIELDS = (
    click.option("--name", help="Full name."),
    click.option("--email", help="E-mail address."),
    click.option("--team", help="Team."),
    click.option("--capacity", help="Most open leads at a time; '' for no limit."),
    click.option("--weight", help="Share in the round robin [default: 1]; 0 for none."),
    click.option("--countries", metavar="CC,CC", help="Countries served; '' for all."),
    click.option("--time-zone", help="IANA zone."),
    click.option("--active/--inactive", default=None, help="Whether the rep takes new work."),
)


def fields(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that describe a rep."""
    return reduce(lambda done, option: option(done), reversed(FIELDS), command)


@click.group()
def group() -> None:
    """Reps: who sells, where, and how much at a time."""


@group.command()
@click.argument("rep_id", metavar="REP")
@fields
@options.dry_run
@options.output
@pass_app
def add(app: App, /, *, rep_id: str, dry_run: bool, output: Output, **given: Any) -> None:
    """Add a rep by a short name.

    \b
    Example:
      sfactl rep add mei --name 陳美玲 --countries TW,HK --capacity 40
    """
    from sfactl.reps import usecases

    done = usecases.add(app.session(dry_run=dry_run), rep_id, _texts(given))
    output.emit(done, human=lambda: _lines(done))


@group.command("set")
@click.argument("rep_id", metavar="REP")
@fields
@options.dry_run
@options.output
@pass_app
def set_(app: App, /, *, rep_id: str, dry_run: bool, output: Output, **given: Any) -> None:
    """Change a rep; what is not named stays.

    \b
    Example:
      sfactl rep set mei --inactive
    """
    from sfactl.reps import usecases

    done = usecases.change(app.session(dry_run=dry_run), rep_id, _texts(given))
    output.emit(done, human=lambda: _lines(done))


@group.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.dry_run
@options.output
@pass_app
def import_(app: App, *, file: Path, dry_run: bool, output: Output) -> None:
    """Add or change the reps of a CSV FILE.

    Its columns are rep_id, name, email, team, active, capacity, weight, countries and time_zone; only rep_id must be
    there. The same file again changes nothing.

    \b
    Example:
      sfactl rep import reps.csv
    """
    from sfactl.reps import usecases

    done = usecases.import_reps(app.session(dry_run=dry_run), file)
    output.emit(done, human=lambda: _lines(done))


@group.command("list")
@options.as_of
@options.output
@pass_app
def list_(app: App, *, as_of: str | None, output: Output) -> None:
    """List the reps with their open leads.

    \b
    Example:
      sfactl rep list
    """
    from sfactl.reps import usecases

    output.emit(usecases.list_reps(app.session(as_of=as_of)))


def _texts(given: dict[str, Any]) -> dict[str, str | None]:
    """What was given, as text; flags as yes and no."""
    texts = {k: v for k, v in given.items() if v is not None}
    return {k: ("yes" if v else "no") if isinstance(v, bool) else str(v) for k, v in texts.items()}


def _lines(done: RepsChanged) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    yield f"{done.rows:,} reps · {done.new:,} new · {done.updated:,} updated · {done.unchanged:,} unchanged"
    if done.commit is not None:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"
