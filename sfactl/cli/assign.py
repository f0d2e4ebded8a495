"""``sfactl assign``: give leads to reps. Lines for people are in `assign_lines`, first responses in `assign_sla`."""

from __future__ import annotations

from importlib import import_module

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.assign_lines import check_lines, explained_lines, given_lines, round_lines

STAGE = click.option(
    "--stage",
    "stages",
    multiple=True,
    metavar="STAGE",
    help="Give out the leads of this stage; may be repeated [default: those of assignment.toml, else sql].",
)
STRATEGY = click.option(
    "--strategy",
    type=click.Choice(["round-robin", "balanced"]),
    help="Instead of the methods of the rules: whose turn it is by weight, or who has the fewest open leads for it.",
)
POOL = click.option("--pool", "with_pool", is_flag=True, help="Give out what lies in the public pool too.")

REALIGN = click.option(
    "--realign", is_flag=True, help="Not the queue: leads whose owner no rule would give them now, say by territory."
)


@click.group()
def group() -> None:
    """Assignment: every qualified lead gets one owner, by the rules of assignment.toml, within every limit."""


@group.command()
@STAGE
@STRATEGY
@POOL
@REALIGN
@click.option("--leads", is_flag=True, help="List lead by lead.")
@options.as_of
@options.dry_run
@options.output
@pass_app
def plan(
    app: App,
    *,
    stages: tuple[str, ...],
    strategy: str | None,
    with_pool: bool,
    realign: bool,
    leads: bool,
    as_of: str | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Show who would get what, and what changed since the last plan; give out nothing.

    The plan is remembered, so that `assign apply` can do exactly it; with --dry-run or --as-of it is not.

    \b
    Example:
      sfactl assign plan
      sfactl assign plan --leads --format csv
      sfactl assign plan --realign
    """
    from sfactl.reps import usecases

    session = app.session(as_of=as_of, dry_run=dry_run)
    if leads:
        output.emit(
            usecases.planned_owners(session, stages=stages, strategy=strategy, with_pool=with_pool, realign=realign)
        )
        return
    found = usecases.plan(session, stages=stages, strategy=strategy, with_pool=with_pool, realign=realign)
    output.emit(found, human=lambda: round_lines(found, planned=True))


@group.command()
@click.argument("plan_id", metavar="PLAN")
@options.dry_run
@options.output
@pass_app
def apply(app: App, *, plan_id: str, dry_run: bool, output: Output) -> None:
    """Do exactly PLAN, or exit with 5 and say what moved.

    \b
    Example:
      sfactl assign apply 7f3a19
    """
    from sfactl.reps import usecases

    done = usecases.apply(app.session(dry_run=dry_run), plan_id)
    output.emit(done, human=lambda: round_lines(done, planned=False))


@group.command()
@STAGE
@STRATEGY
@POOL
@click.option("--plan", "plan_id", metavar="PLAN", help="Do exactly this plan, or exit with 5 if the data moved.")
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def run(
    app: App,
    *,
    stages: tuple[str, ...],
    strategy: str | None,
    with_pool: bool,
    plan_id: str | None,
    dry_run: bool,
    fail_empty: bool,
    output: Output,
) -> None:
    """Give the leads without an owner to the reps.

    The rules of assignment.toml are asked in order. Without that file turns go round by weight, counted since a rep was
    last added or made active again. Nobody gets more than the limits allow or a lead not served, and nobody who is away
    gets any. A lead that finds no rep stays in the queue, with the reason.

    \b
    Example:
      sfactl assign run --dry-run
      sfactl assign run --plan 7f3a19
    """
    from sfactl.reps import usecases

    session = app.session(dry_run=dry_run)
    done = usecases.run(session, stages=stages, strategy=strategy, plan_id=plan_id, with_pool=with_pool)
    empty = fail_empty and not done.given
    output.emit(done, human=lambda: round_lines(done, planned=False), exit_code=4 if empty else 0)


@group.command()
@options.output
@pass_app
def check(app: App, *, output: Output) -> None:
    """Check assignment.toml: its conditions, and that every rep, team, skill and calendar it names is there.

    \b
    Example:
      sfactl assign check
    """
    from sfactl.reps import usecases

    found = usecases.check(app.session(dry_run=True))
    output.emit(found, human=lambda: check_lines(found), exit_code=2 if found.problems else 0)


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

    output.emit(usecases.queue(app.session(), stages=stages))


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
    done = usecases.give(app.session(dry_run=dry_run), [lead_number(ref) for ref in leads], to=rep_id, reason=reason)
    output.emit(done, human=lambda: given_lines(done, rep_id))


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

    found = usecases.explain(app.session(as_of=as_of), lead_number(lead))
    output.emit(found, human=lambda: explained_lines(found))


def lead_number(ref: str) -> int:
    """The number in ``8841`` or ``lead:8841``."""
    text = ref.removeprefix("lead:")
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise click.BadParameter(f"{ref!r} is not the number of a lead; write 8841 or lead:8841")
    return int(text)


import_module("sfactl.cli.assign_sla").register(group)
