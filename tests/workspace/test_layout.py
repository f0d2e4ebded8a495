"""Where rows lie in their files, so that one lead is found without reading all, and what a query leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from threading import Timer

import pyarrow.parquet as pq
import pytest

from sfactl.engine.duck import Query
from sfactl.session import Session

MONTHS = """
select 'e' || i as event_id, timestamp '2026-01-01' + to_days(i::integer) as "at", 'visit' as kind, i % 7 as lead_id
from range(59) t(i)
"""


def files(session: Session, dataset: str) -> list[pq.ParquetFile]:
    with session.query() as query:
        known = session.workspace.snapshot(query.seq).files(dataset)
    return [pq.ParquetFile(session.workspace.private / f.path) for f in known]


def test_events_of_a_month_lie_by_lead(session: Session) -> None:
    with session.write() as tx:
        tx.append("touchpoints", MONTHS)
        tx.commit()
    (file,) = files(session, "touchpoints")
    rows = [(r["at"].month, r["lead_id"], r["at"]) for r in file.read(columns=["at", "lead_id"]).to_pylist()]
    assert rows == sorted(rows)
    assert len({month for month, _, _ in rows}) == 2


def test_wide_rows_that_are_looked_up_lie_in_small_groups(session: Session) -> None:
    with session.write("leads", "segment_members") as tx:
        tx.upsert("leads", "select i as lead_id from range(20000) t(i)")
        tx.upsert("segment_members", "select 'hot' as segment, i as lead_id from range(20000) t(i)")
        tx.commit()
    (leads,), (members,) = files(session, "leads"), files(session, "segment_members")
    assert leads.metadata.num_row_groups == 2
    assert members.metadata.num_row_groups == 1


def test_the_first_rows_are_told_however_many_changed(session: Session) -> None:
    """DuckDB 2.0.0 waited for ever once more than 60,000 changed rows stood in a table of the statement's own."""
    with session.write("segment_members") as tx:
        tx.upsert("segment_members", "select 'hot' as segment, i as lead_id from range(320000) t(i)")
        tx.commit()
    for first in (0, 35_000):
        with session.write("segment_members") as tx:
            changed = f"select 'hot' as segment, i as lead_id, now()::timestamp as since from range({first}, {first + 35_000}) t(i)"
            tx.upsert("segment_members", changed)
            tx.commit()
    with session.query() as query:
        kinds = [f.kind for f in session.workspace.snapshot(query.seq).files("segment_members")]
        assert sorted(kinds) == ["base", "delta", "delta"]
        late = Timer(60, query._con.interrupt)
        late.start()
        try:
            assert len(query.rows("select * from segment_members limit 5")) == 5
            assert len(query.rows("select * from segment_members limit 400000")) == 320_000
        finally:
            late.cancel()


@pytest.mark.parametrize(
    "make", [Query.run, lambda q, sql: q.register("own", q.table("select 1 as n"))], ids=["table", "arrow"]
)
def test_what_a_query_made_ends_with_it(session: Session, make: Callable[[Query, str], None]) -> None:
    with session.query() as query, session.query() as beside:
        make(query, "create temp table own as select 1 as n")
        assert query.one("select n from own") == (1,)
        with pytest.raises(Exception, match="own does not exist"):
            beside.one("select n from own")
    with session.query() as query, pytest.raises(Exception, match="own does not exist"):
        query.one("select n from own")


def test_a_query_that_is_locked_locks_no_other(session: Session) -> None:
    with session.query() as locked, session.query() as free:
        locked.lock(session.workspace.private)
        with pytest.raises(Exception, match=r"disabled|Permission|lock"):
            locked.one("select count(*) from read_csv('/etc/hostname', header = false)")
        assert free.one("select count(*) from read_csv('/etc/hostname', header = false)") is not None
