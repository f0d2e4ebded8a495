"""``sfactl assign``: give leads to reps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.reps.model import Assignment, OwnerExplained

STAGE = click.option(
    "--stage",
    "stages",
    multiple=True,
    metavar="STAGE",
    help="Give out the leads of this stage; may be repeated [default: sql].",
)
STRATEGY = click.option(
    "--strategy",
    type=click.Choice(["round-robin", "balanced"]),
    default="round-robin",
    show_default=True,
    help="Whose turn it is, or who has the fewest open leads for the weight.",
)


@click.group()
def group() -> None:
    """Assignment: every qualified lead gets one owner, in turns, within each rep's capacity."""


@group.command()
@STAGE
@STRATEGY
@click.option("--leads", is_flag=True, help="List lead by lead.")
@options.output
@pass_app
def plan(app: App, *, stages: tuple[str, ...], strategy: str, leads: bool, output: Output) -> None:
    """Show who would get what; change nothing.

    \b
    Example:
      sfactl assign plan
      sfactl assign plan --leads --format csv
    """
    from sfactl.reps import usecases

    session, chosen = app.session(), stages or usecases.STAGES
    if leads:
        output.emit(usecases.planned_owners(session, stages=chosen, strategy=strategy))
        return
    found = usecases.plan(session, stages=chosen, strategy=strategy)
    output.emit(found, human=lambda: _lines(found, planned=True))


@group.command()
@STAGE
@STRATEGY
@click.option("--plan", "plan_id", metavar="PLAN", help="Do exactly this plan, or exit with 5 if the data moved.")
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def run(
    app: App,
    *,
    stages: tuple[str, ...],
    strategy: str,
    plan_id: str | None,
    dry_run: bool,
    fail_empty: bool,
    output: Output,
) -> None:
    """Give the leads without an owner to the reps.

    Turns go round by weight, counted since a rep was last added or made active again; nobody gets more than the
    capacity allows or a lead from a country not served. Who finds no rep stays in the queue, with the reason.

    \b
    Example:
      sfactl assign run --dry-run
      sfactl assign run --plan 7f3a19
    """
    from sfactl.reps import usecases

    done = usecases.run(
        app.session(dry_run=dry_run), stages=stages or usecases.STAGES, strategy=strategy, plan_id=plan_id
    )
    empty = fail_empty and not done.given
    output.emit(done, human=lambda: _lines(done, planned=False), exit_code=4 if empty else 0)


@group.command()
@STAGE
@options.output
@pass_app
def queue(app: App, *, stages: tuple[str, ...], output: Output) -> None:
    """List the leads that no rep can take now, the oldest first, and why.

    \b
    Example:
      sfactl assign queue
    """
    from sfactl.reps import usecases

    output.emit(usecases.queue(app.session(), stages=stages or usecases.STAGES))


@group.command("set")
@click.argument("leads", nargs=-1, required=True, metavar="LEAD...")
@click.option("--to", "rep_id", metavar="REP", help="The new owner.")
@click.option("--release", is_flag=True, help="Back to the queue.")
@click.option("--reason", metavar="TEXT", help="Why, for the history.")
@options.dry_run
@options.output
@pass_app
def set_(
    app: App,
    *,
    leads: tuple[str, ...],
    rep_id: str | None,
    release: bool,
    reason: str | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Give leads to one rep by hand, or back to the queue.

    \b
    Example:
      sfactl assign set lead:12 lead:15 --to mei --reason "knows the customer"
      sfactl assign set lead:12 --release
    """
    from sfactl.reps import usecases

    if (rep_id is None) != release:
        raise click.UsageError("Say --to REP or --release.")
    done = usecases.give(app.session(dry_run=dry_run), [_number(ref) for ref in leads], to=rep_id, reason=reason)
    output.emit(done, human=lambda: _given_lines(done, rep_id))


@group.command()
@click.argument("lead", metavar="LEAD")
@options.as_of
@options.output
@pass_app
def explain(app: App, *, lead: str, as_of: str | None, output: Output) -> None:
    """Show why LEAD has its owner, or who would get it and why not the others.

    \b
    Example:
      sfactl assign explain lead:8841
    """
    from sfactl.reps import usecases

    found = usecases.explain(app.session(as_of=as_of), _number(lead))
    output.emit(found, human=lambda: _explained(found))


def _number(ref: str) -> int:
    text = ref.removeprefix("lead:")
    if not (text.isascii() and text.isdigit()):
        raise click.BadParameter(f"{ref!r} is not the number of a lead; write 8841 or lead:8841")
    return int(text)


def _lines(done: Assignment, *, planned: bool) -> Iterator[str]:
    from sfactl.cli.tables import table

    if done.dry_run:
        yield "Dry run: nothing is written."
    would = planned or done.dry_run
    yield (
        f"{'Plan ' + done.plan_id + ': ' if would else ''}{done.given:,} of {done.queue:,} leads in the queue"
        f" {'would get' if would else 'got'} an owner"
    )
    if done.reps:
        names = ["rep", "name", "weight", "open", "given", "then open", "capacity"]
        rows = [
            [
                r.rep_id,
                r.name,
                r.weight,
                r.open_before,
                r.given,
                r.open_after,
                "no limit" if r.capacity is None else r.capacity,
            ]
            for r in done.reps
        ]
        yield from (f"  {line}" for line in table(names, rows))
    for waiting in done.reasons:
        yield f"  waiting  {waiting.leads:,}  {waiting.reason}"
    if planned and done.given:
        strategy = "" if done.strategy == "round-robin" else f" --strategy {done.strategy}"
        yield f"Do it: sfactl assign run{strategy} --plan {done.plan_id}"
    if done.commit is not None:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"


def _given_lines(done: Assignment, rep_id: str | None) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    goal = f"given to {rep_id}" if rep_id else "back in the queue"
    already = done.queue - done.given
    yield f"{done.given:,} {'lead' if done.given == 1 else 'leads'} {goal}" + (
        f", {already:,} {'was' if already == 1 else 'were'} there already" if already else ""
    )
    if done.commit is not None:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"


def _explained(found: OwnerExplained) -> Iterator[str]:
    from sfactl.cli.tables import table

    yield f"{found.name or 'Unnamed'} · lead:{found.lead_id} · {found.status} · owner {found.owner or 'nobody'}"
    if found.assigned_at and found.owner:
        yield f"  {found.assigned_at:%Y-%m-%d %H:%M} by {found.strategy}: {found.reason}"
    else:
        yield f"  {found.reason}"
    if found.chances:
        rows = [
            [
                c.rep_id,
                c.turns,
                c.weight,
                f"{c.open} of {c.capacity}" if c.capacity is not None else str(c.open),
                None if c.priority is None else round(c.priority, 3),
                c.why_not or "could take it",
            ]
            for c in found.chances
        ]
        yield from (f"  {line}" for line in table(["rep", "turns", "weight", "open", "priority", ""], rows))
        yield "  The smallest priority, (2 × turns + 1) / weight, is next."
