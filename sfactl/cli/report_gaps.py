"""``sfactl report service-gaps``: late, missed and erroneous work before and after a change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.kinds import DAY
from sfactl.cli.report_lines import grid

if TYPE_CHECKING:
    from sfactl.processes.gaps import Gaps


def register(group: click.Group) -> None:
    """Add the command to the group ``report``."""
    group.add_command(service_gaps)


@click.command("service-gaps")
@click.option("--change", type=DAY, required=True, metavar="DAY", help="The day from which things were done anew.")
@click.option("--days", type=click.IntRange(min=1), default=30, show_default=True, metavar="N", help="Days on a side.")
@options.as_of
@options.output
@pass_app
def service_gaps(app: App, *, change: date, days: int, as_of: str | None, output: Output) -> None:
    """Compare late, missed and erroneous work in the N days before a change with the N days from it on.

    Late and missed are tasks and deadlines of processes, erroneous are messages that were not accepted, runs that
    failed, and steps that a process does not allow. Each period is judged as of its own end.

    \b
    Example:
      sfactl report service-gaps --change 2026-09-01 --days 60
    """
    from sfactl.processes import usecases

    result = usecases.service_gaps(app.session(as_of=as_of), change, days=days)
    output.emit(result, human=lambda: _lines(result))


def _lines(result: Gaps) -> Iterator[str]:
    periods = f"{result.before_since:%Y-%m-%d} to {result.change_at:%Y-%m-%d} to {result.after_until:%Y-%m-%d}"
    yield f"Service before and after {result.change}, {periods} UTC, commit {result.seq}"
    rows = [asdict(gap) for gap in result.gaps]
    for row in rows:
        change = row.pop("change")
        row["change"] = "n/a" if change is None else f"{change * 100:+.1f} points"
    names = ["measure", "what", "before", "before_of", "before_rate", "after", "after_of", "after_rate", "change", "p"]
    yield from grid(rows, names)
    if result.unfinished:
        yield "Note: the second period is not over yet, so it is shorter than the first."
    yield "Each period is judged as of its own end; p: Fisher's exact test."
