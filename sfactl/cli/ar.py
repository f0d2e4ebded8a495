"""``sfactl ar``: receivables, on any day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.kinds import DAY, NUMBER

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.orders.model import Balance, Matched, OpenOrder
    from sfactl.orders.usecases.planning import Planned

BUCKETS = "30,60,90,120"


def _day(command: Callable[..., Any]) -> Callable[..., Any]:
    """The day that is asked about, and what was known when."""
    for option in (
        click.option("--known-at", metavar="WHEN", help="What was known at a commit, a date or a time [default: now]."),
        click.option(
            "--as-of",
            "--valid-at",
            "on",
            type=DAY,
            metavar="DATE",
            help="The day asked about: invoices and receipts dated later do not count [default: today].",
        ),
    ):
        command = option(command)
    return command


@click.group()
def group() -> None:
    """Receivables: what customers owe, on any day.

    They come from the ERP's invoices and payments (sfactl erp pull). What is owed is always what was allocated plus
    what is open.
    """


@group.command("list")
@click.option("--all", "every", is_flag=True, help="Settled ones too.")
@_day
@options.output
@pass_app
def list_(app: App, *, every: bool, on: date | None, known_at: str | None, output: Output) -> None:
    """List open receivables, those due first on top.

    \b
    Example:
      sfactl ar list --as-of 2026-06-30
    """
    from sfactl.cli.waterfall import listing
    from sfactl.orders import usecases

    found = usecases.list_receivables(app.session(), on=on, known_at=known_at, every=every)
    output.emit(found, human=lambda: listing(found))


@group.command("age")
@click.option("--buckets", default=BUCKETS, show_default=True, metavar="DAYS", help="Limits of the buckets, in days.")
@_day
@options.output
@pass_app
def age(app: App, *, buckets: str, on: date | None, known_at: str | None, output: Output) -> None:
    """Show how long what is open is overdue, by customer. The buckets add up to what is outstanding.

    \b
    Example:
      sfactl ar age --as-of 2026-06-30 --buckets 30,60,90
    """
    from sfactl.orders import usecases

    session = app.session()
    aged = usecases.age(session, on=on, buckets=buckets, known_at=known_at)
    balances = usecases.balances(session, on=on, known_at=known_at)
    output.emit(aged, human=lambda: _aged(aged, balances, on or session.today()))


@group.command("open")
@click.argument("order")
@_day
@options.output
@pass_app
def open_(app: App, order: str, *, on: date | None, known_at: str | None, output: Output) -> None:
    """Show what is still to be paid of ORDER.

    \b
    Example:
      sfactl ar open O-12
    """
    from sfactl.orders import usecases

    view = usecases.open_of_order(app.session(), order, on=on, known_at=known_at)
    output.emit(view, human=lambda: _opened(view))


@group.command("plan")
@click.argument("order")
@click.option("--instalment", "instalments", multiple=True, metavar="PERCENT%@DAYS", help="A share and when it is due.")
@options.dry_run
@options.output
@pass_app
def plan(app: App, order: str, *, instalments: tuple[str, ...], dry_run: bool, output: Output) -> None:
    """Plan when ORDER falls due, or show the plan.

    The instalments add up to the order. A day on a weekend moves to Monday. What is owed is told by invoices, not by
    the plan.

    \b
    Example:
      sfactl ar plan O-12 --instalment 30%@0 --instalment 70%@30
    """
    from sfactl.orders import usecases

    done = usecases.plan_order(app.session(dry_run=dry_run), order, instalments=instalments)
    output.emit(done, human=lambda: _planned(done))


@group.command("unmatched")
@_day
@options.output
@pass_app
def unmatched(app: App, *, on: date | None, known_at: str | None, output: Output) -> None:
    """List receipts that settle no invoice, or not with all they have, and why.

    \b
    Example:
      sfactl ar unmatched
    """
    from sfactl.cli.waterfall import listing
    from sfactl.orders import usecases

    found = usecases.unmatched(app.session(), on=on, known_at=known_at)
    output.emit(found, human=lambda: listing(found))


@group.command("match")
@click.option("--receipt", metavar="ID", help="The receipt.")
@click.option("--receivable", metavar="ID", help="The receivable, or the number of its invoice.")
@click.option("--amount", type=NUMBER, metavar="AMOUNT", help="How much [default: as much as both have left].")
@click.option("--by", type=click.Choice(("reference", "fifo")), help="By a rule, for every receipt that is left.")
@options.dry_run
@options.output
@pass_app
def match(
    app: App,
    *,
    receipt: str | None,
    receivable: str | None,
    amount: Decimal | None,
    by: str | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Match receipts that name no invoice with receivables.

    By hand with --receipt and --receivable; --by reference takes the invoice number out of what the payer wrote; --by
    fifo settles each customer's oldest debts first.

    \b
    Example:
      sfactl ar match --receipt files:P7 --receivable R-104 --amount 50
      sfactl ar match --by reference
    """
    from sfactl.orders import usecases

    if (by is None) == (receipt is None or receivable is None):
        raise click.UsageError("Give --receipt and --receivable, or --by reference or --by fifo.")
    session = app.session(dry_run=dry_run)
    if by is not None:
        done = usecases.match_references(session) if by == "reference" else usecases.match_fifo(session)
    else:
        done = usecases.match(session, receipt=receipt or "", receivable=receivable or "", amount=amount)
    output.emit(done, human=lambda: _matched(done))


def _aged(aged: pa.Table, balances: tuple[Balance, ...], on: date) -> Iterator[str]:
    from sfactl.cli.tables import terminal_width
    from sfactl.cli.waterfall import money, money_table

    yield f"Outstanding on {on}"
    labels = aged.column_names[2:]
    rows = [
        [r["customer"] or "(no customer)", r["currency"], *(money(r[x], r["currency"]) for x in labels)]
        for r in aged.to_pylist()
    ]
    for balance in balances:
        sums = [sum((r[x] for r in aged.to_pylist() if r["currency"] == balance.currency), Decimal(0)) for x in labels]
        rows.append([f"Total {balance.currency}", balance.currency, *(money(s, balance.currency) for s in sums)])
    yield from money_table(["customer", "currency", *labels], rows, first=2, fit=terminal_width())
    for b in balances:
        yield (
            f"{b.currency}: owed {money(b.receivable, b.currency)} = allocated {money(b.allocated, b.currency)} + "
            f"outstanding {money(b.outstanding, b.currency)}"
        )
        if b.unapplied:
            yield f"  Received but not applied: {money(b.unapplied, b.currency)}. See: sfactl ar unmatched"


def _opened(view: OpenOrder) -> Iterator[str]:
    from sfactl.cli.waterfall import money, money_table

    def said(amount: Decimal) -> str:
        return money(amount, view.currency)

    yield (
        f"O-{view.order_id} · {view.status} · ordered {said(view.ordered)} · invoiced {said(view.invoiced)} · "
        f"open {said(view.open_amount)} {view.currency} on {view.as_of}"
    )
    rows = [
        [i.invoice, i.invoiced_on, i.due_on, said(i.amount), said(i.allocated), said(i.open_amount), i.days_overdue]
        for i in view.invoices
    ]
    if rows:
        names = ["invoice", "invoiced", "due", "amount", "allocated", "open", "overdue"]
        yield from (f"  {row}" for row in money_table(names, rows, first=3))


def _planned(done: Planned) -> Iterator[str]:
    from sfactl.cli.waterfall import money, money_table, plain

    if done.dry_run:
        yield "Dry run: nothing is written."
    yield f"O-{done.order_id} falls due in {done.currency}"
    rows = [
        [i.instalment_no, i.due_on, f"{plain(i.percent)} %", money(i.amount, done.currency)] for i in done.instalments
    ]
    yield from (f"  {row}" for row in money_table(["no", "due", "share", "amount"], rows, first=2))


def _matched(done: Matched) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    if not done.receipts:
        yield "No receipt could be matched."
        return
    from sfactl.engine.money import format_money

    sums = ", ".join(format_money(amount, currency) for currency, amount in done.amount_by_currency.items())
    yield f"Matched {done.receipts:,} receipt{'s' if done.receipts != 1 else ''} by {done.by}: {sums}"
