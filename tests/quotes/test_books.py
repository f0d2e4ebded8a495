"""Price books: which one holds, what is wrong with one, and how a line is written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from sfactl.api.errors import ConfigError, DataError, NotFound, PolicyError
from sfactl.config.objects import read_object
from sfactl.quotes.books import choose, named, problems, with_base
from sfactl.quotes.lines import parse_lines
from sfactl.quotes.model import PriceBook, PriceRow, Promotion

DAY = date(2026, 6, 15)


def book(name: str, **more: object) -> PriceBook:
    return PriceBook(name=name, currency=more.pop("currency", "EUR"), **more)  # type: ignore[arg-type]


def by_name(*books: PriceBook) -> dict[str, PriceBook]:
    return {b.name: b for b in books}


BOOKS = by_name(
    book("list"),
    book("de", country=("DE", "AT")),
    book("dealer", tier=("dealer",)),
    book("de-dealer", country=("DE",), tier=("dealer",)),
    book("old-de-dealer", country=("DE",), tier=("dealer",), valid_to=date(2025, 12, 31)),
)


@pytest.mark.parametrize(
    ("country", "tier", "expected"),
    [("FR", "", "list"), ("AT", "", "de"), ("DE", "dealer", "de-dealer"), ("FR", "dealer", "dealer"), ("", "", "list")],
)
def test_the_most_specific_book_wins(country: str, tier: str, expected: str) -> None:
    assert choose(BOOKS, country=country, tier=tier, on=DAY).name == expected


def test_a_tie_is_an_error_that_names_the_books() -> None:
    with pytest.raises(DataError, match="apply equally well: de, dealer"):
        choose(BOOKS, country="AT", tier="dealer", on=DAY)


def test_no_book_at_all_is_said() -> None:
    with pytest.raises(NotFound, match="no price book holds on 2026-06-15 for country US"):
        choose(by_name(BOOKS["de"]), country="US", tier="", on=DAY)


def test_a_named_book_must_exist_and_hold() -> None:
    with pytest.raises(NotFound) as caught:
        named(BOOKS, "deeler", DAY)
    assert caught.value.hint == "Did you mean dealer?"
    with pytest.raises(PolicyError, match="does not hold on 2026-06-15 \\(until 2025-12-31\\)"):
        named(BOOKS, "old-de-dealer", DAY)


@pytest.mark.parametrize(
    ("base", "words"),
    [
        (book("usd", currency="USD"), "is in USD, this book in EUR"),
        (book("usd", base="list"), "has a base itself"),
    ],
    ids=["currency", "chain"],
)
def test_a_base_must_fit(base: PriceBook, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        with_base(book("mine", base="usd"), by_name(base), DAY)


def test_problems_of_a_book_are_all_listed() -> None:
    row = PriceRow(sku="A", price=Decimal(1))
    bad = book(
        "bad",
        base="gone",
        prices=(
            row,
            PriceRow(sku="A", price=Decimal(2), valid_from=date(2026, 1, 1)),
            PriceRow(sku="Bx", price=Decimal(1)),
            PriceRow(sku="C", price=Decimal(1)),
            PriceRow(sku="C", price=Decimal(1), from_quantity=Decimal(5), mode="graduated"),
        ),
        promotions=(Promotion(name="p", percent=Decimal(1)), Promotion(name="p", percent=Decimal(2))),
    )
    assert problems(bad, by_name(bad), ["A", "B", "C"]) == [
        "prices/bad.toml: there is no product 'Bx'. Did you mean 'B'?",
        "prices/bad.toml: A has two prices from quantity 1 on 2026-01-01: 1 (always) and 2 (from 2026-01-01)",
        "prices/bad.toml: C mixes volume and graduated tiers on 0001-01-01",
        "prices/bad.toml: promotions: 'p' is there twice",
        "prices/bad.toml: base: there is no price book 'gone'",
    ]
    assert problems(BOOKS["de"], BOOKS, []) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('currency = "eur"', "not an ISO 4217 code"),
        ('currency = "EUR"\npercent = 5', "percent needs a base book"),
        ('currency = "EUR"\n[[prices]]\nsku = "A"\nprice = -1', "prices\\[0\\]: price -1 of A is below zero"),
        ('currency = "EUR"\n[[prices]]\nsku = "A"\nprice = "1.00001"', "more than four decimals"),
        ('currency = "EUR"\n[[prices]]\nsku = "A"\nprice = 1\nmode = "tiered"', "prices\\[0\\].mode: 'tiered'"),
        ('currency = "EUR"\n[[promotions]]\nname = "p"\npercent = 101', "not within 0 and 100"),
        (
            'currency = "EUR"\n[[promotions]]\nname = "p"\npercent = 1\nvalid_from = 2026-02-01\nvalid_to = 2026-01-01',
            "before valid_from",
        ),
        ('currency = "EUR"\ncountri = ["DE"]', "Did you mean 'country'"),
    ],
)
def test_a_wrong_file_is_refused_with_its_key(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "list.toml"
    path.write_text(f"schema = 1\n{text}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        read_object(PriceBook, path, inject={"name": "list"})


@pytest.mark.parametrize(
    ("text", "sku", "quantity", "discount"),
    [
        ("LX-300=4", "LX-300", "4", "0"),
        ("LX-300=4@5%", "LX-300", "4", "5"),
        ("LX=300=2.5@7.25%", "LX=300", "2.5", "7.25"),
        ("雷射=1", "雷射", "1", "0"),
        ("a@b=1", "a@b", "1", "0"),
    ],
)
def test_lines_as_typed(text: str, sku: str, quantity: str, discount: str) -> None:
    (line,) = parse_lines([text])
    assert (line.sku, line.quantity, line.discount_percent) == (sku, Decimal(quantity), Decimal(discount))


@pytest.mark.parametrize("text", ["LX-300", "LX-300=", "=4", "LX-300=-1", "LX-300=4@5", "LX-300=four", "LX-300=1e3"])
def test_lines_that_cannot_be_read(text: str) -> None:
    with pytest.raises(DataError, match="line 2"):
        parse_lines(["OK=1", text])
