"""``sfactl quote``: make quotes, explain their prices, and turn them into orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.kinds import DAY

if TYPE_CHECKING:
    from sfactl.quotes.model import Acceptance, QuoteView

STATES = ("draft", "sent", "accepted", "rejected", "expired")


def _pricing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of what is priced anew."""
    for option in (
        click.option("--valid-days", type=click.IntRange(min=0), default=30, show_default=True, help="Days to accept."),
        click.option("--on", type=DAY, metavar="DATE", help="The day whose prices hold [default: today]."),
        click.option("--book", metavar="NAME", help="The price book [default: the most specific one]."),
        click.option("--line", "lines", multiple=True, metavar="SKU=QTY[@DISCOUNT%]", help="A line; repeat for more."),
    ):
        command = option(command)
    return command


@click.group()
def group() -> None:
    """Quotes: every price can say how it came about.

    A line's price goes through these layers: list, price book, quantity, promotion, discount by hand, plugin layers. It
    is rounded once, at the end, half-up to the currency's digits.
    """


@group.command("create")
@click.option("--opportunity", "--opp", required=True, metavar="REF", help="The deal it is for.")
@_pricing
@click.option("--terms", type=click.IntRange(min=0), default=30, show_default=True, metavar="DAYS", help="Days to pay.")
@options.dry_run
@options.output
@pass_app
def create(
    app: App,
    *,
    opportunity: str,
    lines: tuple[str, ...],
    book: str | None,
    on: date | None,
    valid_days: int,
    terms: int,
    dry_run: bool,
    output: Output,
) -> None:
    """Price lines for a deal and keep them as a draft.

    \b
    Example:
      sfactl quote create --opportunity 12 --line LX-300=4@5% --line FLT-10=40
    """
    from sfactl.quotes import usecases

    view = usecases.create(
        app.session(dry_run=dry_run),
        opportunity=opportunity,
        lines=lines,
        book=book,
        on=on,
        valid_days=valid_days,
        payment_terms_days=terms,
    )
    output.emit(view, human=lambda: _priced(view, "created"))


@group.command("revise")
@click.argument("quote")
@_pricing
@options.dry_run
@options.output
@pass_app
def revise(
    app: App,
    quote: str,
    *,
    lines: tuple[str, ...],
    book: str | None,
    on: date | None,
    valid_days: int,
    dry_run: bool,
    output: Output,
) -> None:
    """Price QUOTE anew, with other lines if given; it becomes a draft again.

    \b
    Example:
      sfactl quote revise Q-31 --line LX-300=3
    """
    from sfactl.quotes import usecases

    view = usecases.revise(app.session(dry_run=dry_run), quote, lines=lines, book=book, on=on, valid_days=valid_days)
    output.emit(view, human=lambda: _priced(view, f"revised to revision {view.quote.revision}"))


@group.command("show")
@click.argument("quote")
@options.as_of
@options.output
@pass_app
def show(app: App, quote: str, *, as_of: str | None, output: Output) -> None:
    """Show QUOTE with its lines.

    \b
    Example:
      sfactl quote show Q-31
    """
    from sfactl.quotes import usecases

    view = usecases.show(app.session(as_of=as_of), quote)
    output.emit(view, human=lambda: _shown(view))


@group.command("explain")
@click.argument("quote")
@options.as_of
@options.output
@pass_app
def explain(app: App, quote: str, *, as_of: str | None, output: Output) -> None:
    """Show step by step how the prices of QUOTE came about.

    \b
    Example:
      sfactl quote explain Q-31
    """
    from sfactl.quotes import usecases

    view = usecases.show(app.session(as_of=as_of), quote)
    output.emit(view, human=lambda: _explained(view))


@group.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only these.")
@click.option("--opportunity", "--opp", metavar="REF", help="Only those of this deal.")
@options.as_of
@options.output
@pass_app
def list_(app: App, *, state: str | None, opportunity: str | None, as_of: str | None, output: Output) -> None:
    """List quotes, newest first.

    \b
    Example:
      sfactl quote list --state sent
    """
    from sfactl.cli.waterfall import listing
    from sfactl.quotes import usecases

    found = usecases.list_quotes(app.session(as_of=as_of), state=state, opportunity=opportunity)
    output.emit(found, human=lambda: listing(found))


@group.command("send")
@click.argument("quote")
@options.dry_run
@options.output
@pass_app
def send(app: App, quote: str, *, dry_run: bool, output: Output) -> None:
    """Note that QUOTE was handed to the customer.

    \b
    Example:
      sfactl quote send Q-31
    """
    from sfactl.quotes import usecases

    view = usecases.send(app.session(dry_run=dry_run), quote)
    output.emit(view, human=lambda: _moved(view))


@group.command("reject")
@click.argument("quote")
@click.option("--reason", metavar="TEXT", help="Why, for the history.")
@options.dry_run
@options.output
@pass_app
def reject(app: App, quote: str, *, reason: str | None, dry_run: bool, output: Output) -> None:
    """Note that the customer turned QUOTE down.

    \b
    Example:
      sfactl quote reject Q-31 --reason "too dear"
    """
    from sfactl.quotes import usecases

    view = usecases.reject(app.session(dry_run=dry_run), quote, reason=reason)
    output.emit(view, human=lambda: _moved(view))


@group.command("accept")
@click.argument("quote")
@options.dry_run
@options.output
@pass_app
def accept(app: App, quote: str, *, dry_run: bool, output: Output) -> None:
    """Turn QUOTE into an order; the deal is won. Doing it again changes nothing.

    \b
    Example:
      sfactl quote accept Q-31
    """
    from sfactl.quotes import usecases

    done = usecases.accept(app.session(dry_run=dry_run), quote)
    output.emit(done, human=lambda: _accepted(done))


@group.command("approve")
@click.argument("quote")
@click.option("--reason", default="", metavar="TEXT", help="What you say to it.")
@options.dry_run
@options.output
@pass_app
def approve(app: App, quote: str, *, reason: str, dry_run: bool, output: Output) -> None:
    """Give your word for the prices of QUOTE, as they are now.

    Which quotes need one, and whose, is said in approvals.toml. Who priced it cannot give it, and a quote that is
    priced anew needs a new one.

    \b
    Example:
      sfactl --actor boss quote approve Q-31 --reason "first order of theirs"
    """
    from sfactl.cli.approved import approved_lines
    from sfactl.quotes import usecases

    done = usecases.approve(app.session(dry_run=dry_run), quote, reason=reason)
    output.emit(done, human=lambda: approved_lines(done))


def _head(view: QuoteView) -> str:
    q = view.quote
    deal = f"opportunity {q.opportunity_id}" if q.opportunity_id is not None else "no opportunity"
    return f"Q-{q.quote_id} · {q.state} · revision {q.revision} · {deal} · book {q.price_book}, prices of {q.priced_on}"


def _total(view: QuoteView) -> str:
    from sfactl.engine.money import format_money

    return f"Total {format_money(view.quote.total, view.quote.currency)}, valid until {view.quote.valid_until}"


def _priced(view: QuoteView, what: str) -> Iterator[str]:
    if view.dry_run:
        yield "Dry run: nothing is written."
    yield from _shown(view)
    if view.commit is not None:
        number = view.quote.quote_id
        yield f"Q-{number} {what} (commit {view.commit}). Why these prices: sfactl quote explain Q-{number}"


def _shown(view: QuoteView) -> Iterator[str]:
    from sfactl.cli.waterfall import money, money_table, plain

    yield _head(view)
    currency = view.quote.currency
    names = ["line", "sku", "description", "quantity", "list", "discount", "amount"]
    rows = []
    for line in view.lines:
        gross = line.list_price * line.quantity
        off = f"{100 * (gross - line.amount) / gross:.1f} %" if gross else ""
        amounts = (plain(line.list_price), off, money(line.amount, currency))
        rows.append([line.line_no, line.sku, line.description, plain(line.quantity), *amounts])
    yield from (f"  {row}" for row in money_table(names, rows, first=3))
    yield _total(view)
    for need in view.needs:
        yield f"{'Approved' if need.given_by else 'Needs an approval'}: {need}"


def _explained(view: QuoteView) -> Iterator[str]:
    from sfactl.cli.waterfall import total, waterfall

    yield _head(view)
    for line in view.lines:
        yield ""
        yield from waterfall(line, view.quote.currency)
    yield ""
    yield total(view.lines, view.quote.total, view.quote.currency)


def _moved(view: QuoteView) -> Iterator[str]:
    if view.dry_run:
        yield "Dry run: nothing is written."
    yield f"Q-{view.quote.quote_id} is {view.quote.state}. {_total(view)}"


def _accepted(done: Acceptance) -> Iterator[str]:
    from sfactl.engine.money import format_money

    if done.dry_run:
        yield "Dry run: nothing is written."
    order = f"O-{done.order_id}"
    if done.repeated:
        yield f"Q-{done.quote_id} was accepted before: order {order}. Nothing to do."
        return
    lines = f"{done.lines} line{'s' if done.lines != 1 else ''}"
    yield f"Q-{done.quote_id} accepted: order {order}, {lines}, {format_money(done.amount, done.currency)}"
    if done.won:
        yield f"Opportunity {done.opportunity_id} is won."
    yield "Next: sfactl erp push"
