"""The price books that ship with a preset are in order, and everything they sell can be quoted."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from sfactl.config.objects import read_folder
from sfactl.quotes.books import PriceTable, choose, problems, with_base
from sfactl.quotes.lines import parse_lines
from sfactl.quotes.model import PriceBook, Product
from sfactl.quotes.waterfall import price_lines

B2B = Path(__file__).resolve().parents[2] / "configs/b2b"


@pytest.mark.parametrize("tier", ["", "dealer"])
def test_the_preset_can_be_quoted(tier: str) -> None:
    books = read_folder(PriceBook, B2B / "prices")
    with (B2B / "products.csv").open(encoding="utf-8", newline="") as file:
        products = {r["sku"]: Product(sku=r["sku"], name=r["name"], family=r["family"]) for r in csv.DictReader(file)}
    assert [p for b in books.values() for p in problems(b, books, products)] == []
    on = date(2026, 12, 1)
    book = choose(books, country="", tier=tier, on=on)
    table = PriceTable(book=book, base=with_base(book, books, on), products=products, priced_on=on)
    lines = price_lines(parse_lines([f"{sku}=120" for sku in products]), table)
    assert all(line.amount > 0 for line in lines)
    assert {s.layer for line in lines for s in line.steps} >= {"list", "volume"}
