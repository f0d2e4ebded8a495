"""RFM against its definition: ties, currencies, windows, and real transactions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pytest
from sfactl_scoring_rfm.settings import RfmSettings
from sfactl_scoring_rfm.strategy import RfmStrategy

from sfactl.testkit.scoring_suite import ScoringSuite

NOW = datetime(2026, 11, 21, 9)
Order = tuple[int | None, datetime, float, str | None, str]


def reasons(orders: Sequence[Order], now: datetime = NOW, **settings: Any) -> dict[tuple[int, str], tuple[float, str]]:
    statement = RfmStrategy(RfmSettings(**settings), None).statement()  # type: ignore[arg-type]
    with duckdb.connect() as connection:
        connection.execute(
            'create table orders (lead_id bigint, "at" timestamp, amount decimal(18,4), currency varchar, status varchar)'
        )
        if orders:
            connection.executemany("insert into orders values (?, ?, ?, ?, ?)", [list(order) for order in orders])
        rows = connection.execute(statement.sql, {**statement.params, "now": now}).fetchall()
    found = {(row[0], row[1]): (row[2], row[3]) for row in rows}
    assert len(found) == len(rows)
    return found


def order(
    lead: int | None, days_ago: float, amount: float = 100, currency: str | None = "EUR", status: str = "paid"
) -> Order:
    return lead, NOW - timedelta(days=days_ago), amount, currency, status


def test_five_customers_fill_five_classes() -> None:
    found = reasons([order(n, 10 - n, 100 * n) for n in range(1, 6)])
    assert [found[n, "recency"][0] for n in range(1, 6)] == [8, 16, 24, 32, 40]
    assert [found[n, "money"][0] for n in range(1, 6)] == [6, 12, 18, 24, 30]
    assert {found[n, "frequency"][0] for n in range(1, 6)} == {6}  # all bought once: all in the lowest class
    assert found[5, "recency"][1] == "5 of 5: last order 2026-11-16"
    assert found[5, "frequency"][1] == "1 of 5: 1 order"
    assert found[5, "money"][1] == "5 of 5: 500.0000 EUR"


def test_equals_share_a_class_whatever_their_order() -> None:
    orders = [order(n, 5, 100 if n < 8 else 200) for n in range(1, 11)]
    shuffled = list(orders)
    random.Random(1).shuffle(shuffled)
    found = reasons(orders)
    assert reasons(shuffled) == found
    assert {found[n, "money"][0] for n in range(1, 8)} == {6}
    assert {found[n, "money"][0] for n in range(8, 11)} == {24}  # 7 of 10 are below: class 1 + floor(3.5)


def test_money_is_never_added_across_currencies() -> None:
    found = reasons(
        [order(1, 1, 10, "EUR"), order(2, 1, 20, "EUR"), order(3, 1, 900, "JPY"), order(3, 1, 15, "EUR")], quantiles=2
    )
    assert found[2, "money"][1] == "2 of 2: 20.0000 EUR"
    assert found[3, "money"][1] == "1 of 2: 15.0000 EUR"
    assert found[3, "frequency"][1] == "2 of 2: 2 orders"


def test_what_does_not_count() -> None:
    orders = [
        order(1, 1),
        order(2, 1, status="cancelled"),
        order(3, -0.5),
        order(None, 1),
        order(4, 400),
        (5, NOW, 1, None, "paid"),
    ]
    assert {lead for lead, _ in reasons(orders)} == {1, 4, 5}
    assert {lead for lead, _ in reasons(orders, days=365)} == {1, 5}
    assert {lead for lead, _ in reasons(orders, leave_out=())} == {1, 2, 4, 5}
    assert {lead for lead, _ in reasons(orders, now=NOW + timedelta(days=1))} == {1, 3, 4, 5}
    assert reasons(orders)[5, "money"][1] == "1 of 5: 1.0000"
    assert reasons([]) == {}


@pytest.mark.parametrize("quantiles", [2, 3, 5, 10])
def test_the_definition(quantiles: int) -> None:
    chance = random.Random(quantiles)
    orders = [order(chance.randrange(40), chance.randrange(300), chance.choice([5, 10, 99.5])) for _ in range(150)]
    found = reasons(orders, quantiles=quantiles)
    for rule, most in (("recency", 40), ("frequency", 30), ("money", 30)):
        values = measured(orders, rule)
        for lead, value in values.items():
            below = sum(1 for other in values.values() if other < value)
            assert found[lead, rule][0] == most * (1 + quantiles * below // len(values)) / quantiles


def measured(orders: Sequence[Order], rule: str) -> dict[int, Any]:
    values: dict[int, Any] = {}
    for lead, at, amount, _, _ in orders:
        if lead is not None:
            if rule == "recency":
                values[lead] = max(values.get(lead, at), at)
            else:
                values[lead] = values.get(lead, 0) + (1 if rule == "frequency" else amount)
    return values


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"quantiles": 1}, "quantiles"),
        ({"days": -1}, "days"),
        ({"recency": -1.0}, "not be below 0"),
        ({"recency": 0.0, "frequency": 0.0, "money": 0.0}, "not all 0"),
    ],
)
def test_settings_without_meaning_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        RfmSettings(**wrong)


def test_real_transactions(shared_data: Path) -> None:
    """CDNOW: the best customers by RFM in the first year buy far more in the half year after."""
    lines = (shared_data / "cdnow" / "CDNOW_sample.txt").read_text().split("\n")
    rows = [line.split() for line in lines if line.strip()]
    orders = [(int(r[0]), datetime.strptime(r[2], "%Y%m%d"), float(r[4]), "USD", "paid") for r in rows]
    then = datetime(1998, 1, 1)
    totals: dict[int, float] = {}
    for (lead, _), (points, _) in reasons(orders, now=then).items():
        totals[lead] = totals.get(lead, 0) + points
    later = dict.fromkeys(totals, 0)
    for lead, at, *_ in orders:
        if at > then and lead in later:
            later[lead] += 1
    ranked = sorted(totals, key=lambda lead: (totals[lead], lead))
    fifth = len(ranked) // 5
    best, worst = (sum(later[lead] for lead in group) / fifth for group in (ranked[-fifth:], ranked[:fifth]))
    assert max(totals.values()) <= 100
    assert best > 5 * worst


class TestConformance(ScoringSuite):
    """The suite that every scoring strategy passes."""

    plugin: ClassVar[str] = "sfactl_scoring_rfm"
    offer: ClassVar[str] = "rfm"
