"""Choose the price book and the tiers that hold for a product on a day. Two that fit equally well are an error."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from sfactl.api.errors import ConfigError, DataError, NotFound, PolicyError
from sfactl.quotes.model import Mode, PriceBook, PriceRow, Product, holds, validity


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """The prices of one product by quantity, lowest tier first, all in one mode."""

    rows: tuple[PriceRow, ...]

    @property
    def first(self) -> PriceRow:
        return self.rows[0]

    @property
    def mode(self) -> Mode:
        return self.rows[0].mode

    def reached(self, quantity: Decimal) -> PriceRow:
        """The highest tier that ``quantity`` reaches."""
        return max((r for r in self.rows if r.from_quantity <= quantity), key=lambda r: r.from_quantity)

    def total(self, quantity: Decimal) -> Decimal:
        """What ``quantity`` units cost, exactly.

        In graduated mode the unit numbered ``from_quantity`` is the first at its tier's price: with tiers from 1 and
        from 10, nine units cost the first price and the tenth the second.
        """
        if self.mode == "volume":
            return quantity * self.reached(quantity).price
        total = Decimal(0)
        for i, row in enumerate(self.rows):
            above = self.rows[i + 1].from_quantity - 1 if i + 1 < len(self.rows) else quantity
            below = row.from_quantity - 1 if i else Decimal(0)
            total += max(min(quantity, above) - below, Decimal(0)) * row.price
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """All that prices depend on: the book, its base, the products, the day."""

    book: PriceBook
    base: PriceBook | None
    products: Mapping[str, Product]
    priced_on: date

    def product(self, sku: str) -> Product:
        """The product ``sku``; `NotFound` with the nearest article number, `PolicyError` where it is not sold now."""
        found = self.products.get(sku)
        if found is None:
            near = difflib.get_close_matches(sku, self.products, 1, 0.5)
            hint = f"Did you mean {near[0]} ({self.products[near[0]].name})?" if near else "See: sfactl product list"
            raise NotFound(f"there is no product {sku!r}", hint=hint)
        if not found.active:
            raise PolicyError(f"{sku} ({found.name}) is not sold any more", hint="See: sfactl product list")
        return found

    def own(self, sku: str) -> Tiers | None:
        """The tiers of the book itself."""
        return tiers(self.book, sku, self.priced_on)

    def inherited(self, sku: str) -> Tiers | None:
        """The tiers of the base book."""
        return tiers(self.base, sku, self.priced_on) if self.base else None


def tiers(book: PriceBook, sku: str, on: date) -> Tiers | None:
    """The tiers of ``sku`` in ``book`` on a day, or None. `ConfigError` where two rows fit equally well."""
    rows = sorted((r for r in book.prices if r.sku == sku and holds(r.valid_from, r.valid_to, on)), key=_from)
    if not rows:
        return None
    for a, b in pairwise(rows):
        if a.from_quantity == b.from_quantity:
            raise ConfigError(
                f"prices/{book.name}.toml: {sku} has two prices from quantity {a.from_quantity:f} on {on}: "
                f"{a.price:f} ({validity(a.valid_from, a.valid_to)}) and {b.price:f} "
                f"({validity(b.valid_from, b.valid_to)})",
                hint="Give them validities that do not overlap, or remove one.",
            )
    if len({r.mode for r in rows}) > 1:
        raise ConfigError(f"prices/{book.name}.toml: {sku} mixes volume and graduated tiers on {on}")
    return Tiers(rows=tuple(rows))


def named(books: Mapping[str, PriceBook], name: str, on: date) -> PriceBook:
    """The book ``name``, if it holds on that day."""
    book = books.get(name)
    if book is None:
        near = difflib.get_close_matches(name, books, 1)
        raise NotFound(
            f"there is no price book {name!r}",
            hint=f"Did you mean {near[0]}?" if near else f"Price books: {', '.join(sorted(books)) or 'none'}",
        )
    if not holds(book.valid_from, book.valid_to, on):
        raise PolicyError(f"price book {name} does not hold on {on} ({validity(book.valid_from, book.valid_to)})")
    return book


def choose(books: Mapping[str, PriceBook], *, country: str, tier: str, on: date) -> PriceBook:
    """The most specific book for an account: each scope it names and meets counts one; a tie is an error."""
    fits = [b for b in books.values() if holds(b.valid_from, b.valid_to, on) and _meets(b, country, tier)]
    if not fits:
        raise NotFound(
            f"no price book holds on {on} for country {country or '(none)'} and tier {tier or '(none)'}",
            hint="State one with --book, or add prices/NAME.toml. See: sfactl price list",
        )
    best = max(map(_specificity, fits))
    first, *others = sorted((b for b in fits if _specificity(b) == best), key=lambda b: b.name)
    if others:
        names = ", ".join(b.name for b in (first, *others))
        raise DataError(f"these price books apply equally well: {names}", hint="State one with --book.")
    return first


def with_base(book: PriceBook, books: Mapping[str, PriceBook], on: date) -> PriceBook | None:
    """The base of ``book``, checked to fit; None if it has none."""
    if not book.base:
        return None
    base = named(books, book.base, on)
    if base.base:
        raise ConfigError(f"prices/{book.name}.toml: base: {base.name} has a base itself; use {base.base}")
    if base.currency != book.currency:
        raise ConfigError(
            f"prices/{book.name}.toml: base: {base.name} is in {base.currency}, this book in {book.currency}"
        )
    return base


def problems(book: PriceBook, books: Mapping[str, PriceBook], skus: Iterable[str]) -> list[str]:
    """What is wrong with a book: unknown products, two prices at once, a base that does not fit."""
    known = set(skus)
    where = f"prices/{book.name}.toml"
    found = _unknown(book, known, where)
    days = {d for r in book.prices for d in (r.valid_from, r.valid_to) if d} | {date.min}
    for sku in sorted({r.sku for r in book.prices}):
        for day in sorted(days):
            try:
                tiers(book, sku, day)
            except ConfigError as err:
                found.append(err.message)
                break
    names = [p.name for p in book.promotions]
    found += [f"{where}: promotions: {n!r} is there twice" for n in sorted({n for n in names if names.count(n) > 1})]
    if book.base and book.base not in books:
        found.append(f"{where}: base: there is no price book {book.base!r}")
    elif book.base:
        try:
            with_base(book, books, max(filter(None, (book.valid_from, books[book.base].valid_from)), default=date.min))
        except (ConfigError, PolicyError) as err:
            found.append(err.message)
    return found


def _unknown(book: PriceBook, known: set[str], where: str) -> list[str]:
    if not known:
        return []
    named_skus = {r.sku for r in book.prices} | {s for p in book.promotions for s in p.skus}
    found = []
    for sku in sorted(named_skus - known):
        near = difflib.get_close_matches(sku, known, 1)
        found.append(f"{where}: there is no product {sku!r}" + (f". Did you mean {near[0]!r}?" if near else ""))
    return found


def _meets(book: PriceBook, country: str, tier: str) -> bool:
    return (not book.country or country in book.country) and (not book.tier or tier in book.tier)


def _specificity(book: PriceBook) -> int:
    return bool(book.country) + bool(book.tier)


def _from(row: PriceRow) -> Decimal:
    return row.from_quantity
