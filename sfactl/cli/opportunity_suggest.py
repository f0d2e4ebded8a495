"""``sfactl opp suggest``: what customers may buy beside or above what they have; registered by the group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import click

from sfactl.api.errors import UserError
from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.tables import table
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.opportunities.suggestions import Suggested, Wanted

SHOWN = 20


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(suggest)


@click.command()
@click.option(
    "--kind", type=click.Choice(["cross", "up"]), required=True, help="What goes with it, or the next dearer one."
)
@click.option("--lead", metavar="LEAD", help="Only the suggestions to this customer; nothing is stored.")
@click.option("--rules", is_flag=True, help="Show the rules instead of the suggestions; nothing is stored.")
@click.option(
    "--basket",
    type=click.Choice(["customer", "order"]),
    default="customer",
    show_default=True,
    help="What products go together in: all that a customer has, or one order.",
)
@click.option("--min-support", type=float, default=0.01, show_default=True, help="Fewest baskets, as a share of all.")
@click.option("--min-confidence", type=float, default=0.2, show_default=True, help="Of those with the reason.")
@click.option("--min-lift", type=float, default=1.2, show_default=True, help="Against the share of all.")
@click.option("--min-count", type=click.IntRange(min=1), default=3, show_default=True, help="Fewest baskets at all.")
@click.option("--min-step", type=float, default=0.05, show_default=True, help="Up: at least so much dearer.")
@click.option("--sets", type=click.IntRange(1, 2), default=2, show_default=True, help="Products in a reason, at most.")
@click.option("--top", type=click.IntRange(min=1), default=3, show_default=True, help="Suggestions to a customer.")
@options.limit(SHOWN)
@options.dry_run
@options.as_of
@options.output
@pass_app
def suggest(
    app: App,
    *,
    kind: Literal["cross", "up"],
    lead: str | None,
    rules: bool,
    basket: Literal["customer", "order"],
    min_support: float,
    min_confidence: float,
    min_lift: float,
    min_count: int,
    min_step: float,
    sets: Literal[1, 2],
    top: int,
    limit: int,
    dry_run: bool,
    as_of: str | None,
    output: Output,
) -> None:
    """Suggest to each customer what those with the same products have and they have not.

    Cross-selling goes by association rules over all orders: support is the share of baskets with all products of a
    rule, confidence the share of those with the reason that have the suggestion too, lift the confidence against the
    share of all. Up-selling is the next dearer product of the same family that buyers of the customer's dearest one
    have too. What a customer has is never suggested. Suggestions are stored, so that segments can ask for them.

    \b
    Example:
      sfactl opp suggest --kind cross
      sfactl opp suggest --kind up --lead lead:12
      sfactl opp suggest --kind cross --rules --min-lift 3
    """
    from sfactl.opportunities.suggestions import Wanted
    from sfactl.opportunities.usecases import suggesting

    try:
        wanted = Wanted(
            kind=kind,
            basket=basket,
            min_support=min_support,
            min_confidence=min_confidence,
            min_lift=min_lift,
            min_count=min_count,
            min_step=min_step,
            sets=sets,
            top=top,
        )
    except ValueError as err:
        raise UserError(f"--{err}") from None
    if rules and lead is not None:
        raise UserError("--rules and --lead are two questions; ask one at a time")
    session = app.session(dry_run=dry_run, as_of=as_of)
    if rules or lead is not None or as_of is not None:
        from sfactl.engine.references import number_of

        number = number_of("lead", lead) if lead is not None else None
        done = suggesting.look(session, wanted, lead_id=number, rules=rules)
    else:
        done = suggesting.suggest(session, wanted)
    rows = done.rows.slice(0, limit) if limit else done.rows
    if output.format != "table" and limit and done.rows.num_rows > limit:
        session.note(f"{limit:,} of {done.rows.num_rows:,} rows; see all with --limit 0")
    output.emit(rows, human=lambda: _said(done, wanted, rows.to_pylist(), rules=rules, one=lead is not None))


def _said(done: Suggested, wanted: Wanted, rows: list[dict[str, object]], *, rules: bool, one: bool) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    what = "Cross-selling" if done.kind == "cross" else "Up-selling"
    baskets = "" if done.kind == "up" or wanted.basket == "customer" else f" in {count(done.baskets, 'order')}"
    noun = count(done.rules, "rule") if done.kind == "cross" else count(done.rules, "step")
    yield (
        f"{what} as of {done.at:%Y-%m-%d %H:%M}: {noun} from {count(done.customers, 'customer')}{baskets},"
        f" each of {done.least:,} or more"
    )
    if one and not rows:
        yield "  No suggestion to this customer."
    elif not rules and not one:
        yield f"  {count(done.suggestions, 'suggestion')} to {count(done.reached, 'customer')}"
    if rows:
        yield from (f"  {line}" for line in _rows(rows, rules=rules))
    if done.rows.num_rows > len(rows):
        yield f"  … and {done.rows.num_rows - len(rows):,} more; see all with --limit 0"
    for left, number in done.left_out.items():
        yield f"  Left out: {left}: {number:,}"
    if done.commit is not None:
        yield f"Commit {done.commit}. In conditions: has(suggestions) filter (where kind = '{done.kind}')"
    elif done.stored and not done.dry_run:
        yield "Nothing changed, nothing was written."


def _rows(rows: list[dict[str, object]], *, rules: bool) -> list[str]:
    if rules:
        names = list(rows[0])
        return table(
            names, [[_figure(name, row[name]) for name in names] for row in rows], right=("support", "confidence")
        )
    cells = [
        [
            f"lead:{row['lead_id']}",
            row["full_name"] or row["company"] or "",
            row["sku"],
            row["product_name"],
            row["reason"] or f"has {row['because']}",
            row["customers"],
            _figure("support", row["support"]),
            _figure("confidence", row["confidence"]),
            _figure("lift", row["lift"]),
        ]
        for row in rows
    ]
    heads = ["customer", "name", "product", "product name", "because", "seen", "support", "confidence", "lift"]
    return table(heads, cells, right=("support", "confidence", "lift"))


def _figure(name: str, value: object) -> object:
    if not isinstance(value, float):
        return value
    return f"{value:.1%}" if name in ("support", "confidence") else f"{value:,.2f}"
