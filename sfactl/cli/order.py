"""``sfactl order``: orders, made by accepting quotes."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.orders.model import Cancelled, OrderView

STATUSES = ("open", "pushed", "invoiced", "paid", "cancelled", "refund")


@click.group()
def group() -> None:
    """Orders. An order is made by accepting a quote (sfactl quote accept); its lines never change."""


@group.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only these.")
@options.as_of
@options.output
@pass_app
def list_(app: App, *, status: str | None, as_of: str | None, output: Output) -> None:
    """List orders, newest first.

    \b
    Example:
      sfactl order list --status pushed
    """
    from sfactl.cli.waterfall import listing
    from sfactl.orders import usecases

    found = usecases.list_orders(app.session(as_of=as_of), status=status)
    output.emit(found, human=lambda: listing(found))


@group.command("show")
@click.argument("order")
@options.as_of
@options.output
@pass_app
def show(app: App, order: str, *, as_of: str | None, output: Output) -> None:
    """Show ORDER with its lines.

    \b
    Example:
      sfactl order show O-12
    """
    from sfactl.orders import usecases

    view = usecases.show(app.session(as_of=as_of), order)
    output.emit(view, human=lambda: _shown(view))


@group.command("cancel")
@click.argument("order")
@click.option("--reason", metavar="TEXT", help="Why, for the history.")
@options.dry_run
@options.output
@pass_app
def cancel(app: App, order: str, *, reason: str | None, dry_run: bool, output: Output) -> None:
    """Cancel ORDER, unless it is invoiced. The next push cancels it in the ERP.

    \b
    Example:
      sfactl order cancel O-12 --reason "ordered twice"
    """
    from sfactl.orders import usecases

    done = usecases.cancel(app.session(dry_run=dry_run), order, reason=reason)
    output.emit(done, human=lambda: _cancelled(done))


@group.command("approve")
@click.argument("order")
@click.option("--reason", default="", metavar="TEXT", help="What you say to it.")
@options.dry_run
@options.output
@pass_app
def approve(app: App, order: str, *, reason: str, dry_run: bool, output: Output) -> None:
    """Give your word for ORDER, so that the next push tells the ERP of it.

    Which orders need one, and whose, is said in approvals.toml. Who made it cannot give it.

    \b
    Example:
      sfactl --actor boss order approve O-12
    """
    from sfactl.cli.approved import approved_lines
    from sfactl.orders import usecases

    done = usecases.approve(app.session(dry_run=dry_run), order, reason=reason)
    output.emit(done, human=lambda: approved_lines(done))


def _shown(view: OrderView) -> Iterator[str]:
    from sfactl.cli.waterfall import money, money_table, plain
    from sfactl.engine.money import format_money

    head = view.order
    made = f"from Q-{head.quote_id} " if head.quote_id is not None else ""
    terms = f"to pay in {head.payment_terms_days} days" if head.payment_terms_days is not None else "no terms"
    yield f"O-{head.order_id} · {head.status} · ordered {head.at:%Y-%m-%d} {made}· {terms}"
    if head.erp:
        yield f"In the ERP {head.erp}: {head.erp_number or head.erp_id}"
    rows = [
        [x.line_no, x.sku, x.product_name, plain(x.quantity), plain(x.unit_price), money(x.amount, head.currency)]
        for x in view.lines
    ]
    names = ["line", "sku", "product", "quantity", "unit price", "amount"]
    yield from (f"  {row}" for row in money_table(names, rows, first=3))
    yield f"Total {format_money(head.amount, head.currency)}"
    for contract in view.contracts:
        by = f" by {contract.signed_by}" if contract.signed_by else ""
        yield f"Contract {contract.number}, signed on {contract.signed_on}{by}"
    for need in view.needs:
        yield f"{'Approved' if need.given_by else 'Needs an approval'}: {need}"


def _cancelled(done: Cancelled) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    if done.repeated:
        yield f"O-{done.order_id} was cancelled on {done.at:%Y-%m-%d %H:%M} UTC. Nothing to do."
        return
    yield f"O-{done.order_id} is cancelled."
    if done.tell_erp:
        yield "The ERP does not know yet. Next: sfactl erp push"


import_module("sfactl.cli.order_import").register(group)
import_module("sfactl.cli.order_sign").register(group)
