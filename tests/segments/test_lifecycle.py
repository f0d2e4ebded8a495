"""Periods of life: BG/NBD against its paper, the rule that stands in, and each customer in exactly one period."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.segments import bgnbd
from sfactl.segments.layers import LifecycleRules
from sfactl.segments.usecases import layering
from sfactl.segments.usecases.layer_explaining import explain
from tests.retail_world import CDNOW_END, load_cdnow, workspace

PUBLISHED = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}


def test_the_published_estimates(shared_data: Path, tmp_path: Path) -> None:
    """Fader, Hardie, Lee (2005), table 2: the sample of CDNOW, 39 weeks."""
    with workspace(tmp_path, CDNOW_END) as session:
        orders_given = load_cdnow(session, shared_data)
        run = layering.run(session, "lifecycle")
        assert run.fitted is not None
        assert {name: round(value, 3) for name, value in run.fitted.parameters.items()} == PUBLISHED
        assert run.fitted.log_likelihood == pytest.approx(-9582.4, abs=0.05)
        assert (run.fitted.customers, run.fitted.repeaters) == (2357, 946)
        again = layering.run(session, "lifecycle")
        assert again.commit is None  # the same orders make the same parameters
        with session.query() as query:
            (row,) = query.table("select * from layer_models").to_pylist()
            alive = dict(query.rows("select lead_id, value from layers where value is not null"))
        assert (row["version"], row["method"], row["at"], row["customers"]) == (1, "bg/nbd", CDNOW_END, 2357)
        with (shared_data / "cdnow" / "cdnow_customers_summary.csv").open(newline="") as file:
            customers = [
                (int(c["ID"]), float(c["frequency"]), float(c["recency"]), float(c["T"])) for c in csv.DictReader(file)
            ]
        p = run.fitted.parameters
        for number, x, last, age in customers:
            if x == 0:
                assert number not in alive
                continue
            odds = p["a"] / (p["b"] + x - 1) * ((p["alpha"] + age) / (p["alpha"] + last)) ** (p["r"] + x)
            assert alive[number] == pytest.approx(1 / (1 + odds), abs=2e-3)  # the file has its weeks rounded
        returned = {lead for lead, at, _ in orders_given if at > CDNOW_END}
        rows = layering.customers(session, "lifecycle").to_pylist()
        again = {row["lead_id"]: row["class"] == "decline" for row in rows}
        share = {
            gone: sum(lead in returned for lead in again if again[lead] is gone) / list(again.values()).count(gone)
            for gone in (True, False)
        }
        assert share[True] < 0.2 < 0.6 < share[False]  # the 39 weeks after, which nothing above has seen
        why = explain(session, "lifecycle", None, 1)
        assert [reason.what for reason in why.reasons] == ["orders", "silence", "P(alive)", "trend", "period"]


def test_the_slopes_are_those_of_the_likelihood() -> None:
    rng = np.random.default_rng(5)
    age = rng.uniform(5, 60, 80)
    x = rng.integers(0, 6, 80).astype(float)
    last = np.where(x > 0, age * rng.uniform(0, 1, 80), 0.0)
    ones = np.ones(80)
    point = np.asarray([0.4, 5.0, 0.7, 2.0])
    _, slopes = bgnbd.log_likelihood(point, x, last, age, ones)
    for place in range(4):
        step = np.zeros(4)
        step[place] = 1e-5
        above, _ = bgnbd.log_likelihood(point + step, x, last, age, ones)
        below, _ = bgnbd.log_likelihood(point - step, x, last, age, ones)
        assert slopes[place] == pytest.approx((above - below) / 2e-5, rel=1e-5, abs=1e-5)


def test_known_parameters_are_found_again() -> None:
    """Customers made by the model itself; the estimates come near what made them."""
    rng = np.random.default_rng(7)
    n, (r, alpha, a, b) = 20_000, (0.6, 6.0, 0.9, 3.0)
    rate, drop, age = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n), rng.uniform(20, 80, n)
    x, last, clock, alive = np.zeros(n), np.zeros(n), np.zeros(n), np.ones(n, dtype=bool)
    while alive.any():
        clock = np.where(alive, clock + rng.exponential(1 / rate), clock)
        alive &= clock < age
        x, last = x + alive, np.where(alive, clock, last)
        alive &= rng.uniform(size=n) > drop
    found = bgnbd.fit(x, last, age, np.ones(n))
    assert found is not None
    assert (found.r, found.alpha) == pytest.approx((r, alpha), rel=0.1)
    assert found.a / (found.a + found.b) == pytest.approx(a / (a + b), rel=0.15)


@settings(max_examples=40)
@given(st.integers(0, 3000), st.integers(0, 4000), st.integers(0, 4000))
def test_p_alive_is_a_chance(x: int, one: int, other: int) -> None:
    last, age = sorted((one, other))
    sql = bgnbd.p_alive(str(x), str(last if x else 0), str(age))
    row = duckdb.execute(f"select {sql}", {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}).fetchone()
    assert row is not None
    assert 0 <= row[0] <= 1
    assert x > 0 or row[0] == 1


def orders(rows: list[tuple[int, int]], now: datetime) -> pa.Table:
    return pa.table(
        {
            "order_id": list(range(1, len(rows) + 1)),
            "lead_id": [lead for lead, _ in rows],
            "at": pa.array([now - timedelta(days=days) for _, days in rows], pa.timestamp("us")),
            "amount": [100] * len(rows),
            "currency": ["EUR"] * len(rows),
            "status": ["paid"] * len(rows),
        }
    )


def test_too_few_customers_are_judged_by_silence(tmp_path: Path) -> None:
    now = datetime(2026, 11, 21, 9)
    periods = {
        1: ("acquisition", [10]),
        2: ("growth", [300, 20, 10]),
        3: ("maturity", [300, 200, 100, 80, 95]),
        4: ("decline", [400, 181]),
        5: ("maturity", [170]),
        6: ("decline", [181]),
        7: ("acquisition", [90, 80]),
    }
    rows = [(lead, days) for lead, (_, given) in periods.items() for days in given]
    with workspace(tmp_path, now) as session:
        with session.write("leads", "orders") as tx:
            tx.upsert("leads", pa.table({"lead_id": [*periods, 8]}))
            tx.upsert("orders", orders([*rows, (8, -5)], now))
            tx.commit()
        run = layering.run(session, "lifecycle")
        assert run.fitted is not None
        assert run.fitted.note == "7 customers, fewer than min_customers = 100"
        found = dict(
            zip(*(layering.customers(session, "lifecycle").column(c).to_pylist() for c in ("lead_id", "class")))
        )
        assert found == {lead: period for lead, (period, _) in periods.items()}
        moves = layering.transitions(session, "lifecycle", None, "2026-06-01").to_pylist()
        assert sum(move["customers"] for move in moves) == 7
        assert "silence decides" in explain(session, "lifecycle", None, 2).reasons[2].why
        with session.query() as query:
            assert query.one("select method, note from layer_models") == ("rule", run.fitted.note)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"alive_below": 2.0}, "not between 0 and 1"),
        ({"window": "ninety"}, "window"),
        ({"measure": "amount"}, "need a currency"),
    ],
)
def test_rules_without_meaning_are_refused(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        LifecycleRules(**wrong)  # type: ignore[arg-type]
