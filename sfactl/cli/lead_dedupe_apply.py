"""``sfactl lead dedupe apply``: merge what a plan says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.identity.answers import ApplyResult


def register(group: click.Group) -> None:
    """Add the command to the group ``dedupe``."""
    group.add_command(apply)


@click.command()
@click.argument("plan_id", metavar="PLAN")
@click.option("--reason", metavar="TEXT", help="Why, for the history.")
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def apply(app: App, plan_id: str, *, reason: str | None, dry_run: bool, fail_empty: bool, output: Output) -> None:
    """Merge the groups of PLAN, exactly as planned, in one commit.

    Each group goes into its converted, fullest, oldest record. Exits with 5 and lists what moved where a record is not
    what it was when the plan was made. Each merge can be undone by itself, or all of them with the commit.

    \b
    Example:
      sfactl lead dedupe apply 7f3a19 --dry-run
      sfactl lead dedupe apply 7f3a19
    """
    from sfactl.identity.usecases.apply import apply as use_case

    result = use_case(app.session(dry_run=dry_run), plan_id, reason=reason)
    output.emit(result, human=lambda: applied_lines(result), exit_code=4 if fail_empty and result.nothing else 0)


def applied_lines(result: ApplyResult) -> Iterator[str]:
    """What was merged and moved, and how to take it back."""
    if result.nothing:
        when = f"was applied on {result.applied_at:%Y-%m-%d %H:%M}" if result.applied_at else "merges nothing"
        yield f"Plan {result.plan_id} {when}. Nothing to do."
        return
    what = f"{count(result.merges, result.entity)} into {count(result.clusters, 'other')}"
    if result.dry_run:
        yield f"Dry run: plan {result.plan_id} would merge {what}. Nothing is written."
        return
    yield f"Plan {result.plan_id}: merged {what} in {result.seconds:.1f} s"
    parts = [f"{n:,} of {name.replace('_', ' ')}" for name, n in sorted(result.moved.items()) if n]
    if parts:
        yield f"  Moved: {' · '.join(parts)}"
    for name, n in sorted(result.set_aside.items()):
        yield f"  Set aside: {n:,} of {name.replace('_', ' ')}, the survivor has its own"
    yield f"Commit {result.commit}. Undo with: sfactl data undo {result.commit}"
    yield f"      or one by one, as listed by: sfactl {result.entity} merges --plan {result.plan_id}"
    if result.set_aside or result.moved:
        yield "Bring scores and segments up to date with: sfactl score run, sfactl segment build"
    if result.reviews:
        yield f"Still in doubt: {count(result.reviews, 'pair')}. See: sfactl identity review list"
