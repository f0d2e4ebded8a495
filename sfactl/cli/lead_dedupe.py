"""``sfactl lead dedupe``: plan which records are the same, and look at the pairs of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module, util
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.tables import table

if TYPE_CHECKING:
    from sfactl.identity.model import DedupePlan, Entity

ENTITIES: Mapping[str, Entity] = {"leads": "lead", "accounts": "account", "contacts": "contact"}


@click.group()
def group() -> None:
    """Find records that are the same, and merge them."""


def register(lead: click.Group) -> None:
    """Hang the group under ``sfactl lead``."""
    lead.add_command(group, "dedupe")


@group.command()
@click.option(
    "--of", "of", type=click.Choice(list(ENTITIES)), default="leads", show_default=True, help="Which records."
)
@click.option("--threshold", type=float, metavar="P", help="Merge from this probability on [default: 0.9].")
@click.option("--review", type=float, metavar="P", help="List for review from this probability on [default: 0.4].")
@click.option(
    "--between", nargs=2, metavar="A B", help="Link two sources without duplicates of their own: one partner each."
)
@click.option("--matcher", metavar="NAME", help="Let a plugin's matcher weigh the pairs, for instance splink.")
@options.dry_run
@options.as_of
@options.fail_empty
@options.output
@pass_app
def plan(
    app: App,
    *,
    of: str,
    threshold: float | None,
    review: float | None,
    between: tuple[str, str] | None,
    matcher: str | None,
    dry_run: bool,
    as_of: str | None,
    fail_empty: bool,
    output: Output,
) -> None:
    """Plan which records are the same, and keep the plan. Nothing is merged.

    Names, addresses, phones, ids and custom fields are weighed by how often strangers agree in them. Surely the same
    are planned to be merged, perhaps the same are listed for review. With a machine format the pairs are listed.

    \b
    Example:
      sfactl lead dedupe plan
      sfactl lead dedupe plan --between expo crm --format csv
    """
    from sfactl.identity.usecases import dedupe

    session = app.session(dry_run=dry_run, as_of=as_of)
    made = dedupe.plan(
        session, ENTITIES[of], threshold=threshold, review=review, between=between or None, matcher=matcher
    )
    empty = 4 if fail_empty and not made.plan.merges else 0
    listed = output.format not in ("table", "md") or bool(output.columns)
    if listed:
        session.note(f"plan {made.plan.plan_id}: {made.plan.merges:,} to merge, {made.plan.reviews:,} to review")
    output.emit(
        made.pairs if listed else made.plan, human=None if listed else lambda: planned_lines(made.plan), exit_code=empty
    )


@group.command()
@click.argument("plan_id", metavar="PLAN")
@options.output
@pass_app
def pairs(app: App, plan_id: str, *, output: Output) -> None:
    """List the pairs of PLAN, the surest first.

    \b
    Example:
      sfactl lead dedupe pairs 7f3a19
    """
    from sfactl.identity.usecases import dedupe

    output.emit(dedupe.pairs_of_plan(app.session(), plan_id))


def planned_lines(made: DedupePlan) -> Iterator[str]:
    """A plan for people."""
    kept = " (dry run: not kept)" if made.dry_run else ""
    yield f"Plan {made.plan_id}{kept}, data as of commit {made.seq}: {made.records:,} {made.entity}s"
    if made.matcher == "default":
        keys = sum(1 for b in made.blocks if b.pairs)
        by = f"found by {keys} of {len(made.blocks)} keys, in {', '.join(f.field for f in made.fields) or 'nothing'}"
    else:
        by = f"weighed by {made.matcher}"
    yield f"  compared {made.compared:>9,} pairs, {by}"
    joined = f", in {made.clusters:,} group{'' if made.clusters == 1 else 's'}" if made.merges else ""
    yield f"  merge    {made.merges:>9,} pairs from {made.threshold:.0%} on{joined}"
    yield f"  review   {made.reviews:>9,} pairs from {made.review:.0%} on"
    for decision, title in (("merge", "To merge, for instance"), ("review", "To review, for instance")):
        rows = [
            [str(s.a), s.label_a, str(s.b), s.label_b, f"{s.probability:.1%}"]
            for s in made.samples
            if s.decision == decision
        ]
        if rows:
            yield f"{title}:"
            yield from (f"  {line}" for line in table(["a", "who", "b", "who is it too", "p"], rows))
    if made.merges or made.reviews:
        first = made.samples[0]
        yield f"Why: sfactl identity explain {made.entity}:{first.a} {made.entity}:{first.b}"
    if made.merges and not made.dry_run:
        yield f"Next: sfactl lead dedupe apply {made.plan_id}"


if util.find_spec("sfactl.cli.lead_dedupe_apply") is not None:
    import_module("sfactl.cli.lead_dedupe_apply").register(group)
