"""``sfactl price``: price books and what something costs on a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.kinds import DAY, NUMBER

if TYPE_CHECKING:
    from sfactl.quotes.model import PriceCheck, PriceView


@click.group()
def group() -> None:
    """Price books: one file prices/NAME.toml each, with prices, tiers and promotions."""


@group.command("list")
@options.output
@pass_app
def list_(app: App, *, output: Output) -> None:
    """List the price books.

    \b
    Example:
      sfactl price list
    """
    from sfactl.quotes import usecases

    output.emit(usecases.list_books(app.session()))


@group.command("check")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@options.output
@pass_app
def check(app: App, names: tuple[str, ...], *, output: Output) -> None:
    """Say everything that is wrong with the price books, or with those named.

    \b
    Example:
      sfactl price check
    """
    from sfactl.quotes import usecases

    found = usecases.check_prices(app.session(), names)
    output.emit(found, human=lambda: _checked(found), exit_code=2 if found.problems else 0)


@group.command("show")
@click.argument("sku")
@click.option("--quantity", type=NUMBER, default="1", show_default=True, metavar="N", help="How many.")
@click.option("--on", type=DAY, metavar="DATE", help="The day whose prices hold [default: today].")
@click.option("--book", metavar="NAME", help="The price book [default: the most specific one].")
@click.option("--country", default="", metavar="CODE", help="Country of the customer.")
@click.option("--tier", default="", metavar="NAME", help="Tier of the customer.")
@options.output
@pass_app
def show(
    app: App,
    sku: str,
    *,
    quantity: Decimal,
    on: date | None,
    book: str | None,
    country: str,
    tier: str,
    output: Output,
) -> None:
    """Show what SKU costs and why.

    \b
    Example:
      sfactl price show LX-300 --quantity 12 --on 2026-12-01
    """
    from sfactl.quotes import usecases

    view = usecases.show_price(app.session(), sku, quantity=quantity, on=on, book=book, country=country, tier=tier)
    output.emit(view, human=lambda: _shown(view))


def _checked(found: PriceCheck) -> Iterator[str]:
    yield from found.problems
    books = f"{len(found.books)} price book{'s' if len(found.books) != 1 else ''}"
    bad = len(found.problems)
    yield f"{books} checked, {bad} problem{'s' if bad != 1 else ''}." if bad else f"{books} checked, all in order."


def _shown(view: PriceView) -> Iterator[str]:
    from sfactl.cli.waterfall import waterfall

    yield f"Price book {view.price_book}, prices of {view.priced_on}"
    yield from waterfall(view.line, view.currency)
    for reason in view.not_applied:
        yield f"Not applied: {reason}"
