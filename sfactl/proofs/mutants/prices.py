"""Plant mistakes into price books: prices, tiers, validities, scopes, percentages and promotions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sfactl.engine.money import minor_digits
from sfactl.proofs.mutants.model import Mutant
from sfactl.quotes.model import PriceBook, PriceRow, Promotion

Books = Mapping[str, PriceBook]


def price_mutants(books: Books) -> Iterator[tuple[str, Mutant[Books]]]:
    """All mutants of the books, each with the name of the book it is in."""
    for name, book in books.items():
        for mutant in _book_mutants(book):
            yield name, _whole(books, name, mutant)


def _whole(books: Books, name: str, mutant: Mutant[PriceBook]) -> Mutant[Books]:
    return Mutant(
        rule={**books, name: mutant.rule},
        place=mutant.place,
        change=mutant.change,
        missing=mutant.missing,
        equivalent=mutant.equivalent,
    )


def _book_mutants(book: PriceBook) -> Iterator[Mutant[PriceBook]]:
    for place, row in enumerate(book.prices):
        for mutant in _row_mutants(book, row):
            rows = (*book.prices[:place], mutant.rule, *book.prices[place + 1 :])
            yield mutant.into(replace(book, prices=rows), f"prices[{place}] {row.sku}")
        rest = tuple(other for other in book.prices if other is not row)
        missing = f"A price of {row.sku} from {row.from_quantity:f} on would tell."
        changed = replace(book, prices=rest)
        yield Mutant(rule=changed, place=f"prices[{place}] {row.sku}", change="the row is left out", missing=missing)
    yield from _modes(book)
    yield from _scope(book)
    yield from _percent(book)
    for place, promotion in enumerate(book.promotions):
        for part in _promotion_mutants(book, promotion):
            promotions = (*book.promotions[:place], part.rule, *book.promotions[place + 1 :])
            yield part.into(replace(book, promotions=promotions), f"promotions.{promotion.name}")
        left = tuple(other for other in book.promotions if other is not promotion)
        missing = f"A price within promotion {promotion.name} would tell."
        yield Mutant(
            rule=replace(book, promotions=left),
            place=f"promotions.{promotion.name}",
            change="the promotion is left out",
            missing=missing,
        )


def _row_mutants(book: PriceBook, row: PriceRow) -> Iterator[Mutant[PriceRow]]:
    step = Decimal(1).scaleb(-minor_digits(book.currency))
    for moved in (row.price + step, row.price - step):
        missing = f"A price of {row.sku} for {row.from_quantity:f} would tell."
        yield from _valid(row, "price", row.price, moved, missing)
    for quantity in (row.from_quantity + 1, row.from_quantity - 1):
        told = min(quantity, row.from_quantity)
        missing = f"A price of {row.sku} for {told:f} would tell."
        yield from _valid(row, "from_quantity", row.from_quantity, quantity, missing)
    yield from _validity(row, row.sku)


def _modes(book: PriceBook) -> Iterator[Mutant[PriceBook]]:
    """All tiers of a product change together: a book that mixes them is refused as it is."""
    for sku in dict.fromkeys(row.sku for row in book.prices):
        own = [row for row in book.prices if row.sku == sku]
        mode: Any = "graduated" if own[0].mode == "volume" else "volume"
        rows = tuple(replace(row, mode=mode) if row.sku == sku else row for row in book.prices)
        mutant = Mutant(
            rule=replace(book, prices=rows),
            place=f"prices {sku} mode",
            change=f"{own[0].mode} → {mode}",
            missing=f"A price of {sku} for more than its second tier begins with would tell.",
        )
        yield mutant.excused("with a single tier both modes cost the same") if len(own) == 1 else mutant


def _scope(book: PriceBook) -> Iterator[Mutant[PriceBook]]:
    for key in ("country", "tier"):
        names: tuple[str, ...] = getattr(book, key)
        for name in names:
            rest = tuple(other for other in names if other != name)
            missing = f"A price for {key} {name}, and one for another, would tell."
            yield from _valid(book, key, name, rest, missing, change=f"left out: {name}")
    if book.base:
        missing = f"A price in {book.name} that comes from {book.base} would tell."
        alone = replace(book, base="", percent=Decimal(0))
        yield Mutant(rule=alone, place="base", change=f"{book.base} is left out", missing=missing)
    yield from _validity(book, "anything")


def _percent(book: PriceBook) -> Iterator[Mutant[PriceBook]]:
    if book.base:
        for moved in (book.percent + 1, book.percent - 1):
            missing = f"A price in {book.name} that comes from {book.base} would tell."
            yield from _valid(book, "percent", book.percent, moved, missing)


def _promotion_mutants(book: PriceBook, promotion: Promotion) -> Iterator[Mutant[Promotion]]:
    for moved in (promotion.percent + 1, promotion.percent - 1):
        missing = f"A price within promotion {promotion.name} would tell."
        yield from _valid(promotion, "percent", promotion.percent, moved, missing)
    yield from _validity(promotion, "what the promotion covers")
    for sku in promotion.skus:
        rest = tuple(other for other in promotion.skus if other != sku)
        missing = f"A price of {sku} within promotion {promotion.name} would tell."
        yield from _valid(promotion, "skus", sku, rest, missing, change=f"left out: {sku}")
    if promotion.family:
        missing = f"A price of something that is not of family {promotion.family} would tell."
        yield from _valid(promotion, "family", promotion.family, "", missing, change=f"left out: {promotion.family}")
    stacked = replace(promotion, stack=not promotion.stack)
    mutant = Mutant(
        rule=stacked,
        place="stack",
        change=f"{str(promotion.stack).lower()} → {str(stacked.stack).lower()}",
        missing="A price within two promotions at once would tell.",
    )
    yield mutant.excused("it is the only promotion of the book") if len(book.promotions) == 1 else mutant


def _validity(thing: Any, what: str) -> Iterator[Mutant[Any]]:
    for key in ("valid_from", "valid_to"):
        day: date | None = getattr(thing, key)
        if day is None:
            continue
        for moved in (day + timedelta(days=1), day - timedelta(days=1)):
            told = min(day, moved) if key == "valid_from" else max(day, moved)
            yield from _valid(thing, key, day, moved, f"A price of {what} on {told} would tell.")


def _valid(thing: Any, key: str, before: Any, after: Any, missing: str, change: str = "") -> Iterator[Mutant[Any]]:
    """The mutant, unless a file could not say so."""
    try:
        changed = replace(thing, **{key: after})
    except ValueError:
        return
    yield Mutant(rule=changed, place=key, change=change or f"{before} → {after}", missing=missing)
