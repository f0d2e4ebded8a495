"""``sfactl opportunity`` (short: ``opp``): deals and their stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any

import click

from sfactl.cli import opportunity_text as text
from sfactl.cli import options, params
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.kinds import DAY

OWNER = click.option("--owner", metavar="REP", help="Only the deals of this rep.")
PIPELINE = click.option("--pipeline", metavar="NAME", help="Only this pipeline.")
SET = click.option(
    "--set", "values", type=params.pair, multiple=True, metavar="FIELD=VALUE", help="Fill a field with it."
)


@click.group()
def group() -> None:
    """Opportunities: deals, their stages and what they are worth."""


@group.command()
@click.argument("name")
@click.option("--account", metavar="REF", help="The account.")
@click.option("--contact", metavar="REF", help="The main contact.")
@click.option("--amount", type=params.amount, metavar="AMOUNT", help="Expected value.")
@click.option("--currency", metavar="CODE", help="Currency [default: the workspace's].")
@click.option("--close", "close_date", type=DAY, metavar="DATE", help="Expected close.")
@click.option("--owner", metavar="REP", help="The rep.")
@click.option("--source", help="Where it came from.")
@click.option("--product", metavar="TEXT", help="What the customer wants.")
@click.option("--pipeline", metavar="NAME", help="Pipeline whose stages it follows.")
@click.option("--stage", metavar="STAGE", help="Stage to begin in [default: the first].")
@options.dry_run
@options.output
@pass_app
def add(
    app: App,
    *,
    name: str,
    account: str | None,
    contact: str | None,
    amount: Decimal | None,
    currency: str | None,
    close_date: date | None,
    owner: str | None,
    source: str | None,
    product: str | None,
    pipeline: str | None,
    stage: str | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Add a deal.

    \b
    Example:
      sfactl opp add "LX-300, Taichung" --amount 1280000 --close 2026-12-31
    """
    from sfactl.opportunities.deals import number
    from sfactl.opportunities.usecases import deals

    given = {
        "account_id": number(account, "account") if account else None,
        "contact_id": number(contact, "contact") if contact else None,
        "amount": amount,
        "currency": currency,
        "close_date": close_date,
        "owner": owner,
        "source": source,
        "product_interest": product,
    }
    done = deals.add(app.session(dry_run=dry_run), name, given, pipeline=pipeline, stage=stage)
    output.emit(done, human=lambda: text.added(done))


@group.command("list")
@click.option("--stage", metavar="STAGE", help="Only this stage.")
@OWNER
@PIPELINE
@click.option("--category", type=click.Choice(["open", "won", "lost"]), help="Only open, won or lost deals.")
@click.option("--account", metavar="REF", help="Only the deals of this account.")
@click.option("--where", metavar="CONDITION", help="Only deals for which the condition holds.")
@click.option("--disqualified", is_flag=True, help="Also those that were filtered out.")
@options.limit(0)
@options.as_of
@options.output
@pass_app
def list_(
    app: App,
    *,
    stage: str | None,
    owner: str | None,
    pipeline: str | None,
    category: str | None,
    account: str | None,
    where: str | None,
    disqualified: bool,
    limit: int,
    as_of: str | None,
    output: Output,
) -> None:
    """List deals.

    \b
    Example:
      sfactl opp list --category open --owner mei
      sfactl opp list --where "amount > 100000" --as-of 2026-06-30
    """
    from sfactl.opportunities.deals import number
    from sfactl.opportunities.usecases import pipeline as usecases

    found = usecases.list_deals(
        app.session(as_of=as_of),
        stage=stage,
        owner=owner,
        pipeline=pipeline,
        category=category,
        account_id=number(account, "account") if account else None,
        where=where,
        disqualified=disqualified,
        limit=limit,
    )
    output.emit(found, human=lambda: text.listed(found))


@group.command()
@click.argument("ref", metavar="REF")
@options.as_of
@options.output
@pass_app
def show(app: App, *, ref: str, as_of: str | None, output: Output) -> None:
    """Show one deal, its history, and what its next stages need.

    \b
    Example:
      sfactl opp show opp:12
    """
    from sfactl.opportunities.usecases import deals

    found = deals.show(app.session(as_of=as_of), ref)
    output.emit(found, human=lambda: text.shown(found))


@group.command("set")
@click.argument("ref", metavar="REF")
@click.argument("values", type=params.pair, nargs=-1, required=True, metavar="FIELD=VALUE...")
@options.dry_run
@options.output
@pass_app
def set_(app: App, *, ref: str, values: tuple[tuple[str, str], ...], dry_run: bool, output: Output) -> None:
    """Change fields of a deal; nothing after the = empties one.

    \b
    Example:
      sfactl opp set opp:12 amount=1300000 next_step="call Mr Wang"
    """
    from sfactl.opportunities.usecases import deals

    done = deals.change(app.session(dry_run=dry_run), ref, dict(values))
    output.emit(done, human=lambda: text.changed(done))


@group.command()
@click.argument("refs", nargs=-1, required=True, metavar="REF...")
@click.option("--to", "stage", required=True, metavar="STAGE", help="The stage to move to.")
@SET
@click.option("--reason", metavar="TEXT", help="Why, for the history.")
@options.dry_run
@options.output
@pass_app
def move(
    app: App,
    *,
    refs: tuple[str, ...],
    stage: str,
    values: tuple[tuple[str, str], ...],
    reason: str | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Move deals to another stage; all of them or none.

    The stages, the fields they ask for and the moves they allow stand in stages/NAME.toml.

    \b
    Example:
      sfactl opp move opp:12 --to proposal --set amount=1280000
    """
    from sfactl.opportunities.usecases import deals

    done = deals.move(app.session(dry_run=dry_run), refs, stage, values=dict(values), reason=reason)
    output.emit(done, human=lambda: text.moved(done))


@group.command()
@click.argument("refs", nargs=-1, required=True, metavar="REF...")
@click.option("--won", is_flag=True, help="The customer buys.")
@click.option("--lost", is_flag=True, help="The customer does not.")
@click.option("--reason", metavar="TEXT", help="Why; needed for a loss.")
@click.option("--amount", type=params.amount, metavar="AMOUNT", help="What it was won for.")
@click.option("--stage", metavar="STAGE", help="Which won or lost stage, if there are several.")
@options.dry_run
@options.output
@pass_app
def close(
    app: App,
    *,
    refs: tuple[str, ...],
    won: bool,
    lost: bool,
    reason: str | None,
    amount: Decimal | None,
    stage: str | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Close deals as won or lost.

    \b
    Example:
      sfactl opp close opp:12 --won --amount 1250000
      sfactl opp close opp:13 --lost --reason price
    """
    from sfactl.opportunities.usecases import deals

    if won == lost:
        raise click.UsageError("Say --won or --lost.")
    done = deals.close(app.session(dry_run=dry_run), refs, won=won, stage=stage, reason=reason, amount=amount)
    output.emit(done, human=lambda: text.moved(done))


@group.command()
@click.argument("ref", metavar="REF")
@options.as_of
@options.output
@pass_app
def history(app: App, *, ref: str, as_of: str | None, output: Output) -> None:
    """List every change of a deal with old and new value.

    \b
    Example:
      sfactl opp history opp:12
    """
    from sfactl.opportunities.usecases import deals

    output.emit(deals.history_table(app.session(as_of=as_of), ref))


@group.command()
@OWNER
@PIPELINE
@options.as_of
@options.output
@pass_app
def pipeline(app: App, *, owner: str | None, pipeline: str | None, as_of: str | None, output: Output) -> None:
    """Sum up the open deals by stage, plain and weighted by their chances.

    \b
    Example:
      sfactl opp pipeline --as-of 2026-09-30
    """
    from sfactl.opportunities.usecases import pipeline as usecases

    found = usecases.pipeline_totals(app.session(as_of=as_of), owner=owner, pipeline=pipeline)
    output.emit(_listed(output, found, found.stages), human=lambda: text.totals(found))


@group.command()
@OWNER
@click.option("--pipeline", metavar="NAME", help="Which pipeline, if there are several.")
@click.option("--cards", type=click.IntRange(min=0), default=5, show_default=True, help="Deals shown in each stage.")
@options.as_of
@options.output
@pass_app
def board(app: App, *, owner: str | None, pipeline: str | None, cards: int, as_of: str | None, output: Output) -> None:
    """Show the pipeline as a board, a column for each stage.

    \b
    Example:
      sfactl opp board --owner mei
    """
    from sfactl.opportunities.usecases import pipeline as usecases

    found = usecases.board(app.session(as_of=as_of), pipeline=pipeline, owner=owner, cards=cards)
    output.emit(found, human=lambda: text.board(found))


@group.command()
@click.option(
    "--by", type=click.Choice(["rep", "source", "campaign", "product", "pipeline", "month"]), help="One row for each."
)
@click.option(
    "--denominator",
    type=click.Choice(["all", "closed"]),
    default="all",
    show_default=True,
    help="Which rate comes first; both are shown.",
)
@click.option("--from", "since", type=DAY, metavar="DATE", help="Deals made on or after this day.")
@click.option("--until", type=DAY, metavar="DATE", help="Deals made on or before this day.")
@options.as_of
@options.output
@pass_app
def winrate(
    app: App,
    *,
    by: str | None,
    denominator: str,
    since: date | None,
    until: date | None,
    as_of: str | None,
    output: Output,
) -> None:
    """Show won deals over all and over closed ones, with 95 % intervals.

    \b
    Example:
      sfactl opp winrate --by source
    """
    from sfactl.opportunities.usecases import pipeline as usecases

    found = usecases.win_rates(app.session(as_of=as_of), by=by, denominator=denominator, since=since, until=until)
    output.emit(_listed(output, found, found.rows), human=lambda: text.win_rates(found))


@group.command("filter")
@click.argument("rules", metavar="FILTER")
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def filter_(app: App, *, rules: str, dry_run: bool, fail_empty: bool, output: Output) -> None:
    """Take bad open deals out of the pipeline; they stay in the history.

    FILTER is the name of a file in filters/, or a file of its own.

    \b
    Example:
      sfactl opp filter bad-deals --dry-run
    """
    from sfactl.opportunities.usecases import pipeline as usecases

    done = usecases.filter_deals(app.session(dry_run=dry_run), rules)
    output.emit(done, human=lambda: text.filtered(done), exit_code=4 if fail_empty and not done.filtered else 0)


def _listed(output: Output, found: object, rows: Sequence[Any]) -> object:
    """What people and JSON get is the whole answer; the forms made of rows get its rows, with nested values beside."""
    if output.format in ("table", "json"):
        return found
    import pyarrow as pa

    flat = []
    for row in map(asdict, rows):
        nested = {k: v for k, v in row.items() if isinstance(v, dict)}
        more = {f"{name}_{key}": value for name, inner in nested.items() for key, value in inner.items()}
        flat.append({k: v for k, v in row.items() if k not in nested} | more)
    return pa.Table.from_pylist(flat)


for _part in ("suggest", "prioritize", "role"):
    import_module(f"sfactl.cli.opportunity_{_part}").register(group)
