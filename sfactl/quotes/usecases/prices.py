"""Price books of the workspace, and the price of something on a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import ConfigError, PluginError, SfactlError
from sfactl.config.objects import read_folder, read_object
from sfactl.engine.duck import Query
from sfactl.quotes.books import PriceTable, choose, named, problems, with_base
from sfactl.quotes.model import (
    LineRequest,
    PluginLayer,
    PriceBook,
    PriceCheck,
    PricedLine,
    PriceView,
    Product,
    holds,
    validity,
)
from sfactl.quotes.waterfall import price_lines, skipped_promotions
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa


def show_price(
    session: Session,
    sku: str,
    *,
    quantity: Decimal,
    on: date | None = None,
    book: str | None = None,
    country: str = "",
    tier: str = "",
) -> PriceView:
    """What ``quantity`` of a product costs on a day, step by step. Errors as `price_lines` and `choose` raise them."""
    with session.query() as query:
        table = price_table(session, query, [sku], on=on or session.today(), book=book, country=country, tier=tier)
    request = LineRequest(line_no=1, sku=sku, quantity=quantity)
    (line,) = price(session, [request], table)
    return PriceView(
        line=line,
        price_book=table.book.name,
        currency=table.book.currency,
        priced_on=table.priced_on,
        not_applied=tuple(skipped_promotions(table.product(sku), table)),
    )


def check_prices(session: Session, names: Sequence[str] = ()) -> PriceCheck:
    """Everything that is wrong with the price books, all at once."""
    folder = session.folder / "prices"
    books: dict[str, PriceBook] = {}
    found: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            books[path.stem] = read_object(PriceBook, path, inject={"name": path.stem})
        except ConfigError as err:
            found.append(err.message.replace(f"{session.folder}/", ""))
    for name in names:
        if not (folder / f"{name}.toml").is_file():
            named(books, name, date.min)
    with session.query() as query:
        skus = list(read_products(query, None))
    wanted = [n for n in books if not names or n in names]
    found += [p for n in wanted for p in problems(books[n], books, skus)]
    found += [
        f"prices/{n}.toml: layers: there is no price layer {layer!r}"
        for n in wanted
        for layer in books[n].layers
        if layer not in session.host.offers("price_layer")
    ]
    return PriceCheck(books=tuple(wanted), problems=tuple(found))


def list_books(session: Session) -> pa.Table:
    """One row a price book."""
    import pyarrow as pa

    today = session.today()
    rows = [
        {
            "book": b.name,
            "currency": b.currency,
            "holds": holds(b.valid_from, b.valid_to, today),
            "validity": validity(b.valid_from, b.valid_to),
            "country": ", ".join(b.country),
            "tier": ", ".join(b.tier),
            "base": b.base,
            "prices": len(b.prices),
            "promotions": len(b.promotions),
        }
        for b in read_books(session).values()
    ]
    text = [(n, pa.string()) for n in ("validity", "country", "tier", "base")]
    counts = [("prices", pa.int64()), ("promotions", pa.int64())]
    head = [("book", pa.string()), ("currency", pa.string()), ("holds", pa.bool_())]
    return pa.Table.from_pylist(rows, schema=pa.schema([*head, *text, *counts]))


def read_books(session: Session) -> Mapping[str, PriceBook]:
    """The price books by name."""
    return read_folder(PriceBook, session.folder / "prices")


def read_products(query: Query, skus: Sequence[str] | None) -> dict[str, Product]:
    """The products ``skus``; all of them for None, or where one is missing, so that the nearest can be named."""
    sql = query.statement("quotes", "products")
    rows = query.table(sql, {"skus": None if skus is None else list(skus)}).to_pylist()
    if skus is not None and {r["sku"] for r in rows} != set(skus):
        return read_products(query, None)
    return {r["sku"]: Product(**r) for r in rows}


def price_table(
    session: Session,
    query: Query,
    skus: Sequence[str],
    *,
    on: date,
    book: str | None,
    country: str,
    tier: str,
) -> PriceTable:
    """The book that holds, its base and the products asked for."""
    books = read_books(session)
    chosen = named(books, book, on) if book else choose(books, country=country, tier=tier, on=on)
    return PriceTable(
        book=chosen, base=with_base(chosen, books, on), products=read_products(query, list(set(skus))), priced_on=on
    )


def price(session: Session, requests: Sequence[LineRequest], table: PriceTable) -> tuple[PricedLine, ...]:
    """Price lines with the plugin layers that the book names."""
    return price_lines(requests, table, [_layer(session, table.book, name) for name in table.book.layers])


def _layer(session: Session, book: PriceBook, name: str) -> PluginLayer:
    found = session.host.find("price_layer", name)
    made: Any = session.host.make(
        "price_layer", name, book.layers[name], where=f"prices/{book.name}.toml: layers.{name}"
    )
    after: str = getattr(found.offer, "after", "promotion")
    return PluginLayer(name=name, after=after, adjust=_contained(name, made.adjust))


def _contained(name: str, adjust: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The plugin's method, with whatever it raises turned into a `PluginError` that names it."""

    def run(lines: Any) -> Any:
        try:
            return adjust(lines)
        except SfactlError:
            raise
        except Exception as err:
            raise PluginError(f"price layer {name} failed: {type(err).__name__}: {err}") from err

    return run
