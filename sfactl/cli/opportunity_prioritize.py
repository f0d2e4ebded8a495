"""``sfactl opp prioritize``: which deal to work on next; registered by the group ``opportunity``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.tables import table
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.opportunities.usecases.prioritizing import Priorities

SHOWN = 20


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(prioritize)


@click.command()
@click.option("--owner", metavar="REP", help="Only the deals of this rep.")
@click.option("--pipeline", metavar="NAME", help="Only this pipeline.")
@click.option(
    "--effort",
    type=click.FloatRange(min=0, min_open=True, max=100_000),
    default=8.0,
    show_default=True,
    metavar="HOURS",
    help="Hours of a deal where neither it nor its stage says any.",
)
@click.option(
    "--hours",
    type=click.FloatRange(min=0),
    metavar="HOURS",
    help="Hours there are: show what fits into them, in order.",
)
@click.option("--explain", is_flag=True, help="Show what each figure is made of.")
@options.limit(SHOWN)
@options.as_of
@options.output
@pass_app
def prioritize(
    app: App,
    *,
    owner: str | None,
    pipeline: str | None,
    effort: float,
    hours: float | None,
    explain: bool,
    limit: int,
    as_of: str | None,
    output: Output,
) -> None:
    """Order the open deals by expected value an hour: chance to win × amount ÷ hours of work still to do.

    The hours are the deal's effort_h (sfactl opp set opp:12 effort_h=6), else those of its stage in stages/NAME.toml,
    else --effort. Ties go by number. Deals that were filtered out are not there.

    \b
    Example:
      sfactl opp prioritize --owner mei --hours 40
      sfactl opp prioritize --explain
    """
    from sfactl.opportunities.usecases import prioritizing

    found = prioritizing.prioritize(app.session(as_of=as_of), owner=owner, pipeline=pipeline, effort_h=effort)
    rows = found.rows.slice(0, limit) if limit else found.rows
    output.emit(rows, human=lambda: _said(found, rows.to_pylist(), hours=hours, explain=explain))


def _said(found: Priorities, rows: list[dict[str, Any]], *, hours: float | None, explain: bool) -> Iterator[str]:
    if not found.deals:
        yield "There are no open deals."
        return
    yield (
        f"{count(found.deals, 'open deal')}: {found.expected:,.0f} {found.currency} expected for {found.hours:,.0f}"
        f" hours, by value an hour at the rates of {found.day}"
    )
    heads = ["", "deal", "name", "stage", "owner", f"{found.currency} an hour", "expected", "hours", "so far"]
    cells = [
        [
            row["place"] or "–",
            f"opp:{row['opportunity_id']}",
            row["name"],
            row["stage"],
            row["owner"] or "",
            row["wanting"] if row["per_hour"] is None else f"{row['per_hour']:,.2f}",
            "" if row["expected"] is None else f"{row['expected']:,.0f}",
            f"{row['hours']:g}",
            "" if row["hours_so_far"] is None else f"{row['hours_so_far']:,.0f}",
        ]
        for row in rows
    ]
    lines = table(heads, cells, right=heads[5:])
    yield from (f"  {line}" for line in lines[:1])
    fits = True
    for row, line in zip(rows, lines[1:], strict=True):
        if hours is not None and fits and (row["hours_so_far"] is None or row["hours_so_far"] > hours):
            fits = False
            yield f"  {'─' * 8} {hours:g} hours end here"
        yield f"  {line}"
        if explain:
            yield f"      {_formula(row, found.currency)}"
    if found.deals > len(rows):
        yield f"  … and {found.deals - len(rows):,} more; see all with --limit 0"
    if found.deals > found.ranked:
        yield f"  {count(found.deals - found.ranked, 'deal')} without an amount, a chance or a rate cannot be placed"


def _formula(row: dict[str, Any], currency: str) -> str:
    if row["per_hour"] is None:
        return str(row["wanting"])
    own = row["currency"] or currency
    rate = "" if own == currency else f" × {row['factor']:.6g} {currency}/{own}"
    return (
        f"{row['p_win']:g} ({row['p_win_from']}) × {row['amount']:,.2f} {own}{rate} = {row['expected']:,.2f} {currency}"
        f" ÷ {row['hours']:g} h ({row['hours_from']}) = {row['per_hour']:,.2f} {currency} an hour"
    )
