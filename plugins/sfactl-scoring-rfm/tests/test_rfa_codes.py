"""RFA: the third axis, declared borders and codes, and figures on real transactions computed a second way."""

from __future__ import annotations

import bisect
import csv
from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pyarrow as pa
import pytest
from sfactl_scoring_rfm.settings import Cuts, Letters, RfaSettings, RfmSettings
from sfactl_scoring_rfm.strategy import RfmStrategy

from sfactl.testkit.scoring_suite import ScoringSuite

NOW = datetime(2026, 11, 21, 9)
Found = dict[tuple[int, str], tuple[float, str]]


def reasons(
    settings: RfmSettings, orders: list[tuple[Any, ...]], touches: list[tuple[Any, ...]] = (), now: datetime = NOW
) -> Found:  # type: ignore[assignment]
    statement = RfmStrategy(settings, None).statement()  # type: ignore[arg-type]
    columns = list(zip(*orders, strict=True)) or [[], [], [], []]
    seen = list(zip(*touches, strict=True)) or [[], [], [], []]
    with duckdb.connect() as connection:
        connection.register("given", pa.table(dict(zip(("lead_id", "at", "amount", "currency"), columns, strict=True))))
        connection.execute(
            'create table orders as select cast(lead_id as bigint) as lead_id, cast(given.at as timestamp) as "at",'
            " cast(amount as decimal(18, 4)) as amount, cast(currency as varchar) as currency, 'paid' as status from given"
        )
        connection.register("said", pa.table(dict(zip(("event_id", "lead_id", "at", "kind"), seen, strict=True))))
        connection.execute(
            "create table touchpoints as select cast(event_id as varchar) as event_id, cast(lead_id as bigint) as lead_id,"
            ' cast(said.at as timestamp) as "at", cast(kind as varchar) as kind from said'
        )
        rows = connection.execute(statement.sql, {**statement.params} | ({"now": now})).fetchall()
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def order(lead: int, days: float, amount: float = 100, currency: str = "EUR") -> tuple[Any, ...]:
    return lead, NOW - timedelta(days=days), amount, currency


BORDERS = Cuts(recency=(30, 90), frequency=(2,), third=(100, 1000))


def test_borders_and_codes() -> None:
    """A border belongs to the better class on every axis; A is the best class."""
    asked = RfaSettings(recency=30, frequency=20, money=30, cuts=BORDERS, currency="EUR")
    found = reasons(
        asked,
        [order(1, 30, 1000), order(1, 40, 0), order(2, 31, 99.99), order(3, 90, 100), order(4, 91, 5, "JPY")],
    )
    assert found[1, "recency"] == (30, "AAA, 3 of 3: last order 2026-10-22")
    assert found[1, "frequency"] == (20, "AAA, 2 of 2: 2 orders")
    assert found[1, "amount"] == (30, "AAA, 3 of 3: 1000.0000 EUR")
    assert found[2, "recency"] == (20, "BBC, 2 of 3: last order 2026-10-21")
    assert found[3, "amount"] == (20, "BBB, 2 of 3: 100.0000 EUR")
    assert found[4, "recency"][1].startswith("CB–, 1 of 3")
    assert (4, "amount") not in found


def test_letters_of_ones_own() -> None:
    letters = Letters(recency="ALI", frequency="21", third="GFE")
    asked = RfaSettings(cuts=BORDERS, currency="EUR", letters=letters)
    assert reasons(asked, [order(1, 45, 500)])[1, "recency"][1].startswith("L1F, 2 of 3")


def test_the_third_axis_may_be_activity() -> None:
    touches = [(f"e{n}-{k}", n, NOW - timedelta(days=k + 1), "visit") for n in (1, 2) for k in range(3 * n)]
    touches += [("e1-0", 1, NOW - timedelta(days=1), "visit"), ("later", 1, NOW + timedelta(days=1), "visit")]
    touches += [("mail", 1, NOW - timedelta(days=1), "email_open")]
    orders = [order(1, 3), order(2, 3), order(3, 3)]
    asked = RfaSettings(third="activity", activities=("visit",), quantiles=3)
    found = reasons(asked, orders, touches)
    assert found[1, "activity"] == (20, "CCB, 2 of 3: 3 touchpoints")
    assert found[2, "activity"] == (30, "CCA, 3 of 3: 6 touchpoints")
    assert found[3, "activity"] == (10, "CCC, 1 of 3: 0 touchpoints")
    every = reasons(RfaSettings(third="activity", cuts=Cuts(third=(4,))), orders, touches)
    assert every[1, "activity"][1].endswith("2 of 2: 4 touchpoints")


def test_rfm_takes_borders_too_and_has_no_code() -> None:
    found = reasons(RfmSettings(cuts=Cuts(frequency=(2, 4))), [order(1, n) for n in range(3)])
    assert found[1, "frequency"] == (20, "2 of 3: 3 orders")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Cuts(recency=(90, 30)), "cuts.recency must ascend"),
        (lambda: RfaSettings(cuts=Cuts(third=(1,))), "need a currency"),
        (lambda: RfaSettings(letters=Letters(recency="AB")), "2 letters for 5 classes"),
        (lambda: RfaSettings(activities=("visit",)), "activities go with"),
        (lambda: RfaSettings(quantiles=30), "30 classes need letters"),
    ],
)
def test_settings_without_meaning_are_refused(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


def second_way(orders: list[tuple[int, datetime, float]], now: datetime) -> dict[int, tuple[int, int, int]]:
    """Quintiles by counting: 1 + floor(5 × customers with a smaller value / customers)."""
    last: dict[int, datetime] = {}
    count: dict[int, int] = defaultdict(int)
    spent: dict[int, float] = defaultdict(float)
    for lead, at, amount in orders:
        last[lead] = max(at, last.get(lead, at))
        count[lead] += 1
        spent[lead] = round(spent[lead] + amount, 4)
    ranked: list[dict[int, int]] = []
    for values in (last, count, spent):
        ordered = sorted(values.values())
        ranked.append({k: 1 + 5 * bisect.bisect_left(ordered, v) // len(ordered) for k, v in values.items()})
    assert max(last.values()) <= now
    return {lead: (ranked[0][lead], ranked[1][lead], ranked[2][lead]) for lead in last}


def check(orders: list[tuple[int, datetime, float]], currency: str, now: datetime) -> None:
    expected = second_way(orders, now)
    found = reasons(RfaSettings(), [(*one, currency) for one in orders], now=now)
    classes = {
        lead: tuple(int(found[lead, axis][1].split(", ")[1].split()[0]) for axis in ("recency", "frequency", "amount"))
        for lead in expected
    }
    assert classes == expected
    assert all(
        found[lead, "recency"][1].split(",")[0] == "".join("EDCBA"[c - 1] for c in expected[lead]) for lead in expected
    )


def test_cdnow_a_second_way(shared_data: Path) -> None:
    lines = (shared_data / "cdnow" / "CDNOW_sample.txt").read_text().split("\n")
    rows = [line.split() for line in lines if line.strip()]
    check([(int(r[0]), datetime.strptime(r[2], "%Y%m%d"), float(r[4])) for r in rows], "USD", datetime(1998, 7, 1))


def test_online_retail_a_second_way(shared_data: Path) -> None:
    """Invoices of 44 days, cancellations and lines without a customer left out, as orders of their customers."""
    totals: dict[tuple[int, str], tuple[datetime, float]] = {}
    for path in sorted((shared_data / "uci_online_retail").glob("**/20*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["CustomerID"] and not row["InvoiceNo"].startswith(("C", "A")):
                    key = int(float(row["CustomerID"])), row["InvoiceNo"]
                    amount = int(row["Quantity"]) * float(row["UnitPrice"])
                    at = datetime.fromisoformat(row["InvoiceDate"])
                    totals[key] = at, totals.get(key, (at, 0.0))[1] + amount
    assert len(totals) > 1000
    orders = [(lead, at, round(amount, 4)) for (lead, _), (at, amount) in totals.items()]
    check(orders, "GBP", max(at for _, at, _ in orders) + timedelta(days=1))
    assert isinstance(orders[0][1], date)


class TestConformance(ScoringSuite):
    """The suite that every scoring strategy passes."""

    plugin: ClassVar[str] = "sfactl_scoring_rfm"
    offer: ClassVar[str] = "rfa"
