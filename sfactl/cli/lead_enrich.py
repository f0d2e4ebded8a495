"""``sfactl lead enrich``: fill what is not known of leads from outside data; registered by the group ``lead``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.leads.enriching import Enriched


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(enrich)


@click.command()
@click.argument("refs", nargs=-1, metavar="[REF…]")
@click.option("--segment", metavar="NAME", help="The members of the segment.")
@click.option("--all", "every", is_flag=True, help="Every lead.")
@click.option("--provider", required=True, metavar="NAME", help="A file in enrichers/.")
@click.option("--prefer", is_flag=True, help="Take its values also where somebody else gave one; both are listed.")
@click.option(
    "--distance-from", metavar="LAT,LON", help="Write how many km away each lead is, where coordinates are told."
)
@options.dry_run
@options.output
@pass_app
def enrich(
    app: App,
    *,
    refs: tuple[str, ...],
    segment: str | None,
    every: bool,
    provider: str,
    prefer: bool,
    distance_from: str | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Fill empty fields of leads with what a provider of outside data says.

    Values that a person or a file gave stay, unless you say --prefer. Every fact is kept in the dataset enrichments.
    Values that cannot be right are listed; the exit code is 3 then.

    \b
    Example:
      sfactl lead enrich --all --provider companies --dry-run
      sfactl lead enrich lead:8841 --provider towns --distance-from "25.03,121.56"
    """
    if sum((bool(refs), segment is not None, every)) != 1:
        raise click.UsageError("Name leads, or say --segment NAME or --all.")
    from sfactl.leads.usecases import enrich_leads

    result = enrich_leads(
        app.session(dry_run=dry_run),
        refs,
        provider=provider,
        segment=segment,
        every=every,
        prefer=prefer,
        distance_from=distance_from,
    )
    output.emit(result, human=lambda: _lines(result), exit_code=3 if result.failed or result.problems else 0)


def _lines(result: Enriched) -> Iterator[str]:
    from sfactl.cli.tables import table

    if result.dry_run:
        yield "Dry run: nothing is written."
    yield f"{count(result.leads, 'lead')} looked at · {result.matched:,} matched by {result.provider}"
    if result.fields:
        names = ["field", "filled", "renewed", "overwritten", "already known", "differing"]
        rows = [(f.field, f.filled, f.renewed, f.overwritten, f.known, f.differing) for f in result.fields]
        kept = [i for i, n in enumerate(names) if n not in ("renewed", "overwritten") or any(r[i] for r in rows)]
        yield from (f"  {line}" for line in table([names[i] for i in kept], [[r[i] for i in kept] for r in rows]))
    if result.differences:
        yield "Two values:"
    for d in result.differences:
        yield (
            f"  lead:{d.lead_id}  {d.field}: {d.ours} → {d.theirs}"
            if d.taken
            else (f"  lead:{d.lead_id}  {d.field}: kept {d.ours}, {result.provider} says {d.theirs}")
        )
    yield from _more(result.differing + result.overwritten - len(result.differences))
    if result.differing:
        yield f"Take them all over with --prefer, or one with: sfactl lead set lead:{_first(result)} FIELD=VALUE"
    if result.failed:
        yield f"{count(result.failed, 'value')} cannot be used:"
    for bad in result.failures:
        yield f"  {bad.place}  {bad.field}: {bad.value!r} ({bad.reason})"
    yield from _more(result.failed - len(result.failures))
    yield from result.problems
    if result.commit is not None:
        yield f"Commit {result.commit}. Undo with: sfactl data undo {result.commit}"


def _more(n: int) -> Iterator[str]:
    if n > 0:
        yield f"  … and {n:,} more"


def _first(result: Enriched) -> int:
    return next((d.lead_id for d in result.differences if not d.taken), result.differences[0].lead_id)
