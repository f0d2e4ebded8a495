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
    from sfactl.reps.model import AbsenceChanged, RepsChanged

FIELDS = (
    click.option("--name", help="Full name."),
    click.option("--email", help="E-mail address."),
    click.option("--team", help="Team."),
    click.option("--capacity", help="Most open leads at a time; '' for no limit."),
    click.option("--weight", help="Share in the round robin [default: 1]; 0 for none."),
    click.option("--countries", metavar="CC,CC", help="Countries served; '' for all."),
    click.option("--territories", metavar="A,B", help="Territories of assignment.toml served; '' for all."),
    click.option("--skills", metavar="A,B", help="What the rep can do: languages, products …"),
    click.option("--daily-limit", help="Most new leads a day; '' for no limit."),
    click.option("--calendar", metavar="NAME", help="Working hours, a file in calendars/."),
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

    Its columns are rep_id, name, email, team, active, capacity, daily_limit, weight, countries, territories, skills,
    calendar and time_zone; only rep_id must be there. The same file again changes nothing.

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


@group.command()
@click.argument("rep_id", metavar="[REP]", required=False)
@click.option("--from", "begin", metavar="WHEN", help="First day, or a time, in the rep's zone.")
@click.option("--to", "end", metavar="WHEN", help="Last day, or a time.")
@click.option("--reason", metavar="TEXT", help="Why.")
@options.as_of
@options.dry_run
@options.output
@pass_app
def away(
    app: App,
    *,
    rep_id: str | None,
    begin: str | None,
    end: str | None,
    reason: str | None,
    as_of: str | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Take REP out of assignment for some days; without REP list who is away, or will be.

    \b
    Example:
      sfactl rep away mei --from 2026-12-21 --to 2026-12-31 --reason leave
      sfactl rep away
    """
    from sfactl.reps import usecases

    session = app.session(dry_run=dry_run, as_of=as_of)
    if rep_id is None:
        output.emit(usecases.absences(session))
        return
    if begin is None or end is None:
        raise click.UsageError("Say --from and --to, for instance --from 2026-12-21 --to 2026-12-31.")
    done = usecases.away(session, rep_id, begin=begin, end=end, reason=reason)
    output.emit(done, human=lambda: _absence_lines(done, away=True))


@group.command()
@click.argument("rep_id", metavar="REP")
@options.dry_run
@options.output
@pass_app
def back(app: App, *, rep_id: str, dry_run: bool, output: Output) -> None:
    """End the absence of REP now, and forget those still to come.

    \b
    Example:
      sfactl rep back mei
    """
    from sfactl.reps import usecases

    done = usecases.back(app.session(dry_run=dry_run), rep_id)
    output.emit(done, human=lambda: _absence_lines(done, away=False))


def _absence_lines(done: AbsenceChanged, *, away: bool) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    if done.starts_at is None or done.ends_at is None:
        yield f"{done.rep_id} was not away."
    elif away:
        yield f"{done.rep_id} is away from {done.starts_at:%Y-%m-%d %H:%M} to {done.ends_at:%Y-%m-%d %H:%M} UTC"
    else:
        yield f"{done.rep_id} is back."
    if done.commit is not None:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"


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
