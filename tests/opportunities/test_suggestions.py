"""Suggestions equal a count by hand and, on random baskets, a count by loops; nobody is offered what they have."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import combinations
from math import ceil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.api.errors import NotFound
from sfactl.opportunities.suggestions import Wanted
from sfactl.opportunities.usecases import suggesting
from sfactl.session import Session
from tests.retail_world import RETAIL_NOW, load_retail, retail_lines, workspace

NOW = datetime(2026, 11, 21, 9)
# What five customers bought, order by order: laser, filter, gas, manual.
BOUGHT = {
    1: [["laser", "filter"], ["gas"]],
    2: [["laser", "filter", "gas"]],
    3: [["laser", "filter"]],
    4: [["laser"], ["manual"]],
    5: [["filter", "gas"]],
}
PRICES = {"laser": 1000, "laser-xl": 1500, "laser-xxl": 3000, "filter": 50, "gas": 20, "manual": 5}


def load(session: Session, bought: dict[int, list[list[str]]], **products: dict[str, Any]) -> None:
    """One order for each list of products, with one piece of each."""
    orders, lines = [], []
    for lead, baskets in bought.items():
        for basket in baskets:
            orders.append({"order_id": len(orders) + 1, "lead_id": lead, "status": "paid", "currency": "EUR"})
            lines += [
                {"order_id": len(orders), "line_no": n, "sku": sku, "quantity": 1, "amount": PRICES.get(sku, 10)}
                for n, sku in enumerate(basket, 1)
            ]
    skus = sorted({line["sku"] for line in lines} | set(products))
    with session.write("leads", "orders", "order_lines", "products") as tx:
        tx.upsert("leads", pa.table({"lead_id": list(bought)}))
        table = pa.Table.from_pylist(orders)
        at = pa.array([NOW - timedelta(days=1)] * len(orders), pa.timestamp("us"))
        tx.upsert("orders", table.append_column("at", at))
        tx.upsert("order_lines", pa.Table.from_pylist(lines))
        rows = [{"sku": sku, "name": sku.upper(), "family": sku.split("-")[0], "active": True} for sku in skus]
        tx.upsert("products", pa.Table.from_pylist([row | products.get(row["sku"], {}) for row in rows]))
        tx.commit()


def test_a_count_by_hand(tmp_path: Path) -> None:
    """laser: 1 2 3 4, filter: 1 2 3 5, gas: 1 2 5, of 5 customers."""
    with workspace(tmp_path, NOW) as session:
        load(session, BOUGHT)
        wanted = Wanted(kind="cross", min_support=0.4, min_confidence=0.5, min_lift=0, min_count=2)
        rules = {
            (row["because"], row["sku"]): row for row in suggesting.look(session, wanted, rules=True).rows.to_pylist()
        }
        filter_gas = rules["filter", "gas"]
        assert (filter_gas["baskets"], filter_gas["support"], filter_gas["confidence"]) == (3, 0.6, 0.75)
        assert filter_gas["lift"] == pytest.approx(0.75 / 0.6)
        assert ("gas + laser", "filter") not in rules  # 2 of 2, but gas alone is as sure: 3 of 3
        assert rules["gas", "filter"]["confidence"] == 1.0
        assert ("manual", "laser") not in rules  # in one basket only
        done = suggesting.suggest(session, wanted)
        offers = {(row["lead_id"], row["sku"]): row for row in done.rows.to_pylist()}
        # 3 lacks gas, 4 lacks filter and gas, 5 lacks laser; 1 and 2 have all three.
        assert set(offers) == {(3, "gas"), (4, "filter"), (4, "gas"), (5, "laser")}
        assert (offers[3, "gas"]["because"], offers[3, "gas"]["confidence"]) == ("filter", 0.75)
        assert (offers[5, "laser"]["because"], offers[5, "laser"]["confidence"]) == ("filter", 0.75)
        assert done.commit is not None
        assert suggesting.suggest(session, wanted).commit is None
        with session.query() as query:
            stored = query.rows("select lead_id, sku, place from suggestions order by all")
        assert stored == [(3, "gas", 1), (4, "filter", 1), (4, "gas", 2), (5, "laser", 1)]
        one = suggesting.look(session, wanted, lead_id=4)
        assert [row["sku"] for row in one.rows.to_pylist()] == ["filter", "gas"]
        with pytest.raises(NotFound):
            suggesting.look(session, wanted, lead_id=99)


def test_orders_as_baskets_and_what_is_no_longer_sold(tmp_path: Path) -> None:
    with workspace(tmp_path, NOW) as session:
        load(session, BOUGHT, filter={"active": False})
        wanted = Wanted(kind="cross", basket="order", min_support=0, min_confidence=0, min_lift=0, min_count=2, sets=1)
        found = suggesting.look(session, wanted, rules=True)
        rules = {(row["because"], row["sku"]): row["baskets"] for row in found.rows.to_pylist()}
        assert found.baskets == 7
        assert rules == {("filter", "laser"): 3, ("laser", "filter"): 3, ("filter", "gas"): 2, ("gas", "filter"): 2}
        assert "filter" not in suggesting.look(session, wanted).rows.column("sku").to_pylist()


def test_the_next_dearer_one(tmp_path: Path) -> None:
    bought = {n: [["laser", "laser-xl"]] for n in (1, 2, 3)}
    bought |= {n: [["laser", "laser-xxl"]] for n in (4, 5, 6)} | {7: [["laser"]], 8: [["laser-xl"]], 9: [["laser-xxl"]]}
    with workspace(tmp_path, NOW) as session:
        load(session, bought)
        wanted = Wanted(kind="up", min_confidence=0.3, min_lift=0)
        offers = suggesting.suggest(session, wanted).rows.to_pylist()
        (one,) = offers  # who has the xl finds no buyer of both it and the xxl; who has the xxl has the dearest
        assert (one["lead_id"], one["sku"], one["because"], one["customers"]) == (7, "laser-xl", "laser", 3)
        assert one["confidence"] == pytest.approx(3 / 7)
        assert one["lift"] == pytest.approx((3 / 7) / (4 / 9))
        assert one["reason"] == "has laser, next dearer in laser: 1000.00 → 1500.00 EUR"
        dearer = suggesting.look(session, Wanted(kind="up", min_step=0.6, min_confidence=0, min_lift=0))
        assert [(row["lead_id"], row["sku"]) for row in dearer.rows.to_pylist()] == [(7, "laser-xxl")]


baskets = st.dictionaries(
    st.integers(1, 12), st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4), min_size=1, max_size=2)
)


@settings(max_examples=12)
@given(baskets.filter(bool), st.sampled_from([0.0, 0.1, 0.25]), st.sampled_from([0.0, 0.5]))
def test_a_count_by_loops(tmp_path_factory: pytest.TempPathFactory, bought: Any, support: float, least: float) -> None:
    with workspace(tmp_path_factory.mktemp("loops"), NOW) as session:
        load(session, bought)
        wanted = Wanted(kind="cross", min_support=support, min_confidence=least, min_lift=0, min_count=2, top=99)
        rules = suggesting.look(session, wanted, rules=True).rows.to_pylist()
        offers = suggesting.look(session, wanted).rows.to_pylist()
    have = {lead: {sku for basket in given for sku in basket} for lead, given in bought.items()}
    enough = max(2, ceil(round(support * len(have), 9)))
    counts: dict[frozenset[str], int] = defaultdict(int)
    for skus in have.values():
        for size in (1, 2, 3):
            for chosen in combinations(sorted(skus), size):
                counts[frozenset(chosen)] += 1
    expected = {}
    for chosen, number in counts.items():
        if len(chosen) > 1 and number >= enough:
            for product in chosen:
                reason = chosen - {product}
                if number / counts[reason] >= least:
                    expected[" + ".join(sorted(reason)), product] = (
                        number,
                        number / len(have),
                        number / counts[reason],
                    )
    for reason, product in [key for key in expected if "+" in key[0]]:
        alone = [counts[frozenset((one, product))] / counts[frozenset(one)] for one in reason.split(" + ")]
        if expected[reason, product][2] <= max(alone):
            del expected[reason, product]
    assert {(r["because"], r["sku"]): (r["baskets"], r["support"], r["confidence"]) for r in rules} == expected
    wanted_by = {
        (lead, product)
        for lead, skus in have.items()
        for (reason, product) in expected
        if product not in skus and set(reason.split(" + ")) <= skus
    }
    assert {(offer["lead_id"], offer["sku"]) for offer in offers} == wanted_by


def test_a_real_shop(shared_data: Path, tmp_path: Path) -> None:
    """Every suggestion's figures are found again by sets, and nobody is offered what they have."""
    lines = retail_lines(shared_data)
    with workspace(tmp_path, RETAIL_NOW) as session:
        load_retail(session, lines)
        rules = suggesting.look(session, Wanted(kind="cross", min_lift=3, sets=1), rules=True).rows.to_pylist()
        cross = suggesting.look(session, Wanted(kind="cross")).rows.to_pylist()
        up = suggesting.look(session, Wanted(kind="up")).rows.to_pylist()
    have: dict[int, set[str]] = defaultdict(set)
    for customer, sku, quantity in zip(
        *(lines.column(name).to_pylist() for name in ("customer", "sku", "quantity")), strict=True
    ):
        if quantity > 0:
            have[customer].add(sku)
    assert len(rules) > 100 and len(cross) > 1000 and len(up) > 100
    assert not [offer for offer in (*cross, *up) if offer["sku"] in have[offer["lead_id"]]]
    for rule in rules[:20]:
        both = sum(1 for skus in have.values() if {rule["because"], rule["sku"]} <= skus)
        assert abs(both - rule["baskets"]) <= 1  # one customer has so much that they teach nothing


@pytest.mark.parametrize("wrong", [{"min_support": 2}, {"min_lift": -1}, {"top": 0}, {"min_step": -0.1}])
def test_what_makes_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"min-|top"):
        Wanted(kind="cross", **wrong)
