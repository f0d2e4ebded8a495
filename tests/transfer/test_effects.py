"""A dry run says what rules would do on the data of now: members and prices equal what is found once they are there."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.quotes.usecases import show_price
from sfactl.segments import usecases as segments
from sfactl.transfer import usecases
from sfactl.transfer.patch import write_patch
from sfactl.transfer.usecases.effects import Effect
from tests.transfer.conftest import Place, unchecked

BIG = 'schema = 1\nwhere = "employees >= {n}"\n'
BOOK = """schema = 1
currency = "TWD"
{more}prices = [{{ sku = "A", price = {price} }}, {{ sku = "B", price = 7 }}]
"""


@pytest.fixture
def sales(prod: Place) -> Place:
    """Leads with 1 to 100 people, two products, segments that ask for each other, and a price book."""
    prod.write("segments/big.toml", BIG.format(n=50))
    prod.write("segments/not-big.toml", "schema = 1\nwhere = \"not member_of('big')\"\n")
    prod.write("segments/apart.toml", "schema = 1\nwhere = \"country = 'TW'\"\n")
    prod.write("prices/list.toml", BOOK.format(more="", price=100))
    with prod.session() as session, session.write("leads", "products") as tx:
        tx.upsert("leads", "select n as lead_id, 'new' as status, n as employees from range(1, 101) as r(n)")
        schema = session.workspace.schemas["products"].arrow()
        rows = [{"sku": sku, "name": sku, "active": True} for sku in "AB"]
        tx.upsert("products", pa.Table.from_pylist(rows, schema))
        tx.commit()
    return prod


def tried(place: Place, files: dict[str, str], *, gone: str = "") -> tuple[Effect, ...]:
    """What a patch with these files would do."""
    held = place.files()
    before = {path: content for path, content in held.items() if path.split("/")[0] in ("segments", "prices")}
    after = {**before, **{path: text.encode() for path, text in files.items()}}
    after.pop(gone, None)
    path = place.folder.parent / "p.patch"
    path.write_bytes(write_patch(before, after))
    with place.session(dry_run=True) as session:
        found = usecases.apply_patch(session, path, unchecked).effects
    assert place.files() == held, "a dry run writes nothing"
    return found


def test_members_are_those_of_the_next_build(sales: Place) -> None:
    found = tried(sales, {"segments/big.toml": BIG.format(n=80)})
    assert found == (
        Effect(kind="segment", name="big", before=Decimal(51), after=Decimal(21), joined=0, left=30),
        Effect(kind="segment", name="not-big", before=Decimal(49), after=Decimal(79), joined=30, left=0),
    )
    sales.patched(sales.folder.parent / "p.patch")
    with sales.session() as session:
        assert {n: segments.size(session, n).members for n in ("big", "not-big")} == {"big": 21, "not-big": 79}


def test_new_gone_and_broken_segments(sales: Place) -> None:
    sales.write("segments/broken.toml", 'schema = 1\nwhere = "emploees > 1"\n')
    found = tried(
        sales,
        {"segments/small.toml": "schema = 1\nwhere = 'employees < 3'\n", "segments/broken.toml": BIG.format(n=99)},
        gone="segments/apart.toml",
    )
    assert [(e.name, e.before, e.after, e.joined, e.left) for e in found] == [
        ("apart", 0, None, 0, 0),
        ("broken", None, 2, 2, 0),
        ("small", None, 2, 2, 0),
    ]


def test_prices_are_those_that_a_quote_would_have(sales: Place) -> None:
    more = 'base = "list"\npercent = 10\ntier = ["dealer"]\n'
    dealer = BOOK.format(more=more, price=80).replace(', { sku = "B", price = 7 }', "")
    found = tried(sales, {"prices/list.toml": BOOK.format(more="", price=120), "prices/dealer.toml": dealer})
    said = {effect.name: (effect.before, effect.after) for effect in found}
    assert said == {"dealer A": (None, 80), "dealer B": (None, Decimal("6.30")), "list A": (100, 120)}
    sales.patched(sales.folder.parent / "p.patch")
    with sales.session() as session:
        for name, (_, after) in said.items():
            book, sku = name.split()
            assert show_price(session, sku, quantity=Decimal(1), book=book).line.amount == after


def test_what_changes_nothing_has_no_effect(sales: Place, tmp_path: Path) -> None:
    assert tried(sales, {"segments/big.toml": BIG.format(n=50) + "# the same\n"}) == ()
    assert tried(sales, {"prices/list.toml": BOOK.format(more="", price="100.00")}) == ()
