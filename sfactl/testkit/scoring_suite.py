"""What a scoring strategy must hold to: rows that explain the score, the same each time, blind to the future."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import duckdb
import pyarrow as pa

from sfactl.api.protocols import SqlScoring, TableScoring
from sfactl.api.records import SqlScore
from sfactl.testkit.offer_suite import NOW, Make, OfferSuite
from sfactl.testkit.sample import Rows, sample_rows, tables

SQL_COLUMNS = ["lead_id", "rule", "points", "detail", "at"]
TABLE_COLUMNS = SQL_COLUMNS[:4]


class ScoringSuite(OfferSuite):
    """Inherit this to test a scoring strategy on a few made-up leads, touchpoints and orders.

    Override `rows` where the strategy needs other data. ``ignores_future`` is False only for a strategy that is meant
    to look at what is planned.
    """

    kind: ClassVar[str] = "scoring_strategy"
    ignores_future: ClassVar[bool] = True

    def rows(self, now: datetime) -> dict[str, Rows]:
        """Rows by dataset that the strategy is tested on."""
        return sample_rows(now)

    def test_it_is_a_scoring_strategy(self, make: Make) -> None:
        """It has the methods of `SqlScoring` or of `TableScoring`."""
        assert isinstance(make(), (SqlScoring, TableScoring))

    def test_it_scores_someone(self, make: Make) -> None:
        """On the sample, at least one lead gets points."""
        assert scored(make(), self.rows(NOW)).num_rows > 0

    def test_rows_explain_the_score(self, make: Make) -> None:
        """Each row names its lead and rule and carries points that can be added up."""
        rows = self.rows(NOW)
        known = {row["lead_id"] for row in rows["leads"]}
        for row in scored(make(), rows).to_pylist():
            assert row["lead_id"] in known
            assert row["rule"]
            assert row["points"] is not None
            assert math.isfinite(row["points"])

    def test_the_same_data_score_the_same(self, make: Make) -> None:
        """Neither a second run nor another order of the rows changes anything."""
        rows = self.rows(NOW)
        turned = {name: list(reversed(list(given))) for name, given in rows.items()}
        assert in_order(scored(make(), rows)) == in_order(scored(make(), rows)) == in_order(scored(make(), turned))

    def test_no_data_is_no_error(self, make: Make) -> None:
        """An empty workspace scores nobody."""
        assert scored(make(), {}).num_rows == 0

    def test_the_future_does_not_leak(self, make: Make) -> None:
        """What happens after the time of the run does not change a score."""
        rows = self.rows(NOW)
        later = NOW + timedelta(days=3)
        event = {"event_id": "future", "at": later, "kind": "form_submit", "lead_id": 1, "account_id": 10}
        order = {"order_id": 99999, "at": later, "lead_id": 1, "account_id": 10, "status": "paid", "amount": 10**6}
        future = {
            **rows,
            "touchpoints": [*rows.get("touchpoints", ()), event],
            "orders": [*rows.get("orders", ()), order],
        }
        same = in_order(scored(make(), rows)) == in_order(scored(make(), future))
        assert same or not self.ignores_future


def scored(strategy: Any, rows: Mapping[str, Rows], *, now: datetime = NOW) -> pa.Table:
    """What ``strategy`` answers on ``rows``, checked for its columns."""
    with duckdb.connect() as connection:
        for name, table in tables(rows).items():
            connection.register(name, table)
        if isinstance(strategy, SqlScoring):
            statement = strategy.statement()
            assert isinstance(statement, SqlScore)
            table = _run(connection, statement.sql, {**statement.params, "now": now, "as_of": now})
            assert table.column_names == SQL_COLUMNS
        else:
            table = strategy.score(_run(connection, strategy.query, {"now": now, "as_of": now}))
            assert table.column_names[:4] == TABLE_COLUMNS
    assert pa.types.is_int64(table.schema.field("lead_id").type)
    return table


def in_order(table: pa.Table) -> list[tuple[Any, ...]]:
    """The rows without their order; points to nine digits, because sums of floats depend on it."""
    rows = [(r["lead_id"], r["rule"], round(r["points"], 9), r["detail"], r.get("at")) for r in table.to_pylist()]
    return sorted(rows, key=str)


def _run(connection: duckdb.DuckDBPyConnection, sql: str, params: Mapping[str, Any]) -> pa.Table:
    used = {name: value for name, value in params.items() if re.search(rf"\${name}\b", sql)}
    table: pa.Table = connection.sql(sql, params=used).to_arrow_table()
    return table
