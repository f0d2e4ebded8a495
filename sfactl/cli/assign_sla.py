"""The command ``assign sla``: which leads got their first response in time, and passing on those that did not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.reps.model import Passing, Promise

SHOWN = 30


def register(group: click.Group) -> None:
    """Add the command to the group ``assign``."""
    group.add_command(sla)


@click.command()
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["due", "met", "late", "breached"]),
    help="Only leads in this state; may be repeated.",
)
@click.option("--rep", metavar="REP", help="Only leads of this rep.")
@click.option("--apply", "act", is_flag=True, help="Pass every breached lead on to the next rep, once.")
@options.as_of
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def sla(
    app: App,
    *,
    states: tuple[str, ...],
    rep: str | None,
    act: bool,
    as_of: str | None,
    dry_run: bool,
    fail_empty: bool,
    output: Output,
) -> None:
    """Show which assigned leads got their first response in time, by the [sla] of assignment.toml.

    Due is what still has time, late what was answered too late, breached what is not answered and over time. Time is
    working time of the owner; beside it stands the time on the wall. With --apply a breached lead goes to the next rep
    by the rules, never to one who had it, and only once.

    \b
    Example:
      sfactl assign sla --state breached
      sfactl assign sla --apply --dry-run
    """
    from sfactl.reps import usecases

    if act:
        if as_of or states or rep:
            raise click.UsageError("--apply acts on all breached leads as they are now.")
        done = usecases.pass_on(app.session(dry_run=dry_run))
        empty = fail_empty and not done.moved
        output.emit(done, human=lambda: _passing_lines(done), exit_code=4 if empty else 0)
        return
    promise, rows = usecases.sla(app.session(as_of=as_of), states=states, rep=rep)
    empty = fail_empty and not rows.num_rows
    output.emit(rows, human=lambda: _promise_lines(promise, rows), exit_code=4 if empty else 0)


def _promise_lines(promise: Promise, rows: pa.Table) -> Iterator[str]:
    from sfactl.cli.tables import table

    yield (
        f"First response within {promise.first_response}"
        + (f" of working time ({promise.calendar})" if promise.calendar else "")
        + f": {promise.due:,} due, {promise.met:,} met, {promise.late:,} late, {promise.breached:,} breached"
    )
    cells = [
        [
            f"lead:{row['lead_id']}",
            row["name"],
            row["owner"] + (" (passed on)" if row["passed_on"] else ""),
            row["state"],
            row["assigned_at"],
            row["due_at"],
            row["responded_at"],
            _span(row["took_s"], days=False),
            _span(row["wall_s"]),
        ]
        for row in rows.slice(0, SHOWN).to_pylist()
    ]
    names = ["lead", "name", "owner", "state", "assigned (UTC)", "due (UTC)", "responded", "worked", "on the wall"]
    if cells:
        yield from (f"  {line}" for line in table(names, cells))
    if rows.num_rows > SHOWN:
        yield f"  … and {rows.num_rows - SHOWN:,} more; all of them with --format csv"
    if promise.breached:
        yield "Pass them on: sfactl assign sla --apply"


def _passing_lines(done: Passing) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    for lead in done.moved[:SHOWN]:
        yield f"lead:{lead.lead_id}  {lead.before} → {lead.after}  {lead.reason}"
    if len(done.moved) > SHOWN:
        yield f"… and {len(done.moved) - SHOWN:,} more"
    for lead in done.stays[:SHOWN]:
        yield f"lead:{lead.lead_id}  stays with {lead.before}: {lead.reason}"
    yield f"{len(done.moved):,} passed on, {len(done.stays):,} could not be"
    if done.commit is not None:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"


def _span(seconds: int, *, days: bool = True) -> str:
    """A length of time in its two largest units; working time has no days, for they are not 24 hours."""
    whole, rest = divmod(seconds, 86_400) if days else (0, seconds)
    hours, rest = divmod(rest, 3600)
    parts = [(whole, "d"), (hours, "h"), (rest // 60, "min")]
    filled = [f"{n} {unit}" for n, unit in parts if n]
    return " ".join(filled[:2]) or f"{rest} s"
