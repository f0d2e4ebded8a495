"""Amounts at the rate of their day: cross rates, weekends, gaps, and what is not known."""

from __future__ import annotations

import duckdb
import pytest

from sfactl.engine.exchange import factors

RATES = """
create table rates as select * from (values
  ('EUR', 'USD', date '2026-01-02', 1.10), ('EUR', 'TWD', date '2026-01-02', 35.0),
  ('EUR', 'USD', date '2026-01-05', 1.20), ('EUR', 'TWD', date '2026-01-05', 36.0),
  ('EUR', 'JPY', date '2025-06-01', 160.0), ('GBP', 'USD', date '2026-01-02', 1.30)
) t(base, currency, rated_on, rate)
"""


@pytest.mark.parametrize(
    ("currency", "day", "into", "factor"),
    [
        ("USD", "2026-01-02", "EUR", 1 / 1.10),
        ("EUR", "2026-01-02", "USD", 1.10),
        ("USD", "2026-01-02", "TWD", 35.0 / 1.10),
        ("USD", "2026-01-04", "TWD", 35.0 / 1.10),
        ("USD", "2026-01-05", "TWD", 36.0 / 1.20),
        ("TWD", "2026-01-15", "USD", 1.20 / 36.0),
        ("TWD", "2026-01-16", "USD", None),
        ("USD", "2026-01-01", "TWD", None),
        ("JPY", "2026-01-02", "USD", None),
        ("CHF", "2026-01-02", "USD", None),
        ("CHF", "2020-01-01", "CHF", 1.0),
        ("GBP", "2026-01-02", "USD", 1.30),
    ],
    ids=[
        "to-base", "from-base", "cross", "weekend", "next-rate", "ten-days", "eleven-days", "before-all",
        "stale", "unknown", "same-currency", "second-base",
    ],
)  # fmt: skip
def test_the_factor_of_a_day(currency: str, day: str, into: str, factor: float | None) -> None:
    with duckdb.connect() as con:
        con.execute(RATES)
        rows = con.execute(
            factors(
                f"select '{currency}' as currency, date '{day}' as day union all select 'USD', date '2026-01-02'",
                f"'{into}'",
            )
        ).fetchall()
    found = {(c, str(d)): f for c, d, f in rows}
    assert found[(currency, day)] == (pytest.approx(factor) if factor is not None else None)
    assert len(found) == len(rows)
