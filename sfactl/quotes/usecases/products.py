"""Import, list and show products. A product is known by its article number."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import DataError, NotFound
from sfactl.engine.delimited import BadRow, Row, parse_number, read_rows
from sfactl.engine.money import CurrencyError, minor_digits
from sfactl.quotes.books import tiers
from sfactl.quotes.model import BookPrice, PriceBook, ProductImport, ProductView, RejectedRow, holds, validity
from sfactl.quotes.usecases.prices import read_books, read_products
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa

_YES = frozenset({"true", "yes", "1", "y"})
_NO = frozenset({"false", "no", "0", "n"})


def import_products(
    session: Session, file: Path, *, encoding: str = "utf-8", delimiter: str = "", decimal_comma: bool = False
) -> ProductImport:
    """Take over the products of a CSV file whose header names the columns of the dataset ``products``.

    A column that the file lacks keeps the value it has; an empty cell clears it. Rows that cannot be read are listed,
    the others are taken. Raises `DataError` for a file without a column ``sku``.
    """
    schema = session.workspace.schemas["products"]
    given, rejected, ignored = _read(file, schema.types, encoding, delimiter, decimal_comma)
    columns = [c for c in schema.types if given and c in given[0]]
    with session.write("products") as tx:
        tx.query.register("given", _table(given, columns))
        tx.query.run(f"create temp table merged as {_merge_sql(list(schema.types), columns)}")
        differs = " or ".join(f"m.{c} is distinct from p.{c}" for c in schema.types if c != "sku")
        new, updated = tx.query.one(
            "select count(*) filter (where p.sku is null), count(*) filter (where p.sku is not null and "
            f"({differs})) from merged m left join products p on p.sku = m.sku"
        ) or (0, 0)
        seq = None
        if new or updated:
            tx.upsert(
                "products",
                f"select m.* from merged m left join products p on p.sku = m.sku where p.sku is null or {differs}",
            )
            seq = tx.commit(new=new, updated=updated).seq
    return ProductImport(
        file=file.name,
        rows=len(given) + len(rejected),
        new=new,
        updated=updated,
        unchanged=len(given) - new - updated,
        rejected=tuple(rejected),
        ignored_columns=ignored,
        dry_run=session.dry_run,
        commit=seq,
    )


def list_products(session: Session, *, family: str | None = None, inactive: bool = False) -> pa.Table:
    """Products by article number; those not sold any more only where asked for."""
    with session.query() as query:
        return query.table(
            "select sku, name, family, unit, coalesce(active, true) as active, cost, currency from products "
            "where ($family is null or family = $family) and ($inactive or coalesce(active, true)) order by sku",
            {"family": family, "inactive": inactive},
        )


def show_product(session: Session, sku: str) -> ProductView:
    """A product and its prices in every book that holds today. Raises `NotFound` with the nearest article number."""
    today = session.today()
    with session.query() as query:
        products = read_products(query, [sku])
        if sku not in products:
            near = difflib.get_close_matches(sku, products, 1, 0.5)
            raise NotFound(
                f"there is no product {sku!r}",
                hint=f"Did you mean {near[0]} ({products[near[0]].name})?" if near else "See: sfactl product list",
            )
        row = query.get("products", sku) or {}
    prices = tuple(p for book in read_books(session).values() for p in _prices(book, sku, today))
    return ProductView(product=products[sku], description=row.get("description") or "", prices=prices)


def _prices(book: PriceBook, sku: str, on: date) -> Iterator[BookPrice]:
    found = tiers(book, sku, on) if holds(book.valid_from, book.valid_to, on) else None
    for row in found.rows if found else ():
        yield BookPrice(
            book=book.name,
            currency=book.currency,
            price=row.price,
            from_quantity=row.from_quantity,
            mode=row.mode,
            validity=validity(row.valid_from or book.valid_from, row.valid_to or book.valid_to),
        )


def _read(
    file: Path, types: Mapping[str, str], encoding: str, delimiter: str, decimal_comma: bool
) -> tuple[list[dict[str, Any]], list[RejectedRow], tuple[str, ...]]:
    given: dict[str, dict[str, Any]] = {}
    rejected: list[RejectedRow] = []
    ignored: tuple[str, ...] = ()
    for row in read_rows(file, encoding=encoding, delimiter=delimiter):
        if isinstance(row, Row) and "sku" not in row.values:
            near = difflib.get_close_matches("sku", row.values, 1)
            raise DataError(
                f"{file}: there is no column 'sku'",
                hint=f"Rename {near[0]!r}." if near else f"Columns: {', '.join(types)}",
            )
        try:
            product = _product(row, types, decimal_comma)
            if product["sku"] in given:
                raise ValueError(f"sku {product['sku']} stands in the file twice")
        except (ValueError, CurrencyError) as err:
            rejected.append(RejectedRow(row=row.number, reason=str(err)))
            continue
        given[product["sku"]] = product
        ignored = tuple(c for c in row.values if c not in types) if isinstance(row, Row) else ignored
    return list(given.values()), rejected, ignored


def _product(row: Row | BadRow, types: Mapping[str, str], decimal_comma: bool) -> dict[str, Any]:
    if isinstance(row, BadRow):
        raise ValueError(row.reason)
    values: dict[str, Any] = {c: v or None for c, v in row.values.items() if c in types}
    if not values["sku"]:
        raise ValueError("sku is empty")
    for column, text in values.items():
        if text is None:
            continue
        if types[column] == "boolean":
            values[column] = _truth(column, text)
        elif types[column].startswith("decimal"):
            values[column] = _amount(column, text, decimal_comma)
    if values.get("currency"):
        minor_digits(values["currency"])
    if values.get("cost") is not None and not values.get("currency") and "currency" in values:
        raise ValueError(f"cost {values['cost']} has no currency")
    return values


def _truth(column: str, text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise ValueError(f"{column}: {text!r} is neither yes nor no")


def _amount(column: str, text: str, decimal_comma: bool) -> Decimal:
    try:
        amount = parse_number(text, decimal_comma=decimal_comma)
    except ValueError as err:
        raise ValueError(f"{column}: {err}") from None
    if amount < 0 or amount != amount.quantize(Decimal("0.0001")) or amount >= 10**14:
        raise ValueError(f"{column}: {text!r} must be 0 or more with at most four decimals")
    return amount


def _table(rows: list[dict[str, Any]], columns: list[str]) -> pa.Table:
    import pyarrow as pa

    return pa.table({c: _array([r[c] for r in rows]) for c in columns or ["sku"]})


def _array(values: list[Any]) -> pa.Array:
    import pyarrow as pa

    if any(isinstance(v, Decimal) for v in values):
        return pa.array([None if v is None else v.quantize(Decimal("0.0001")) for v in values], pa.decimal128(18, 4))
    return pa.array(values, pa.bool_() if any(isinstance(v, bool) for v in values) else pa.string())


def _merge_sql(names: list[str], given: list[str]) -> str:
    def value(column: str) -> str:
        if column == "active":
            own = "g.active" if "active" in given else "p.active"
            return f"coalesce({own}, true) as active"
        return f"{'g' if column in given or column == 'sku' else 'p'}.{column} as {column}"

    return f"select {', '.join(map(value, names))} from given g left join products p on p.sku = g.sku"
