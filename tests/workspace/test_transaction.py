"""Commits are whole, versioned, and refuse what would break a dataset."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.api.errors import DataError, InternalError, NotFound
from sfactl.session import FixedClock, Session
from sfactl.workspace.manifest import Manifest
from sfactl.workspace.verify import verify

SOME_LEADS = "select i as lead_id, 'a' || i || '@example.com' as email from range(1, $n + 1) t(i)"


def emails(session: Session, as_of: int | None = None) -> dict[int, str]:
    with session.query(as_of) as q:
        return dict(q.rows("select lead_id, email from leads order by lead_id"))


def put(session: Session, **rows: str) -> int | None:
    with session.write("leads") as tx:
        tx.upsert("leads", pa.table({"lead_id": [int(k[1:]) for k in rows], "email": list(rows.values())}))
        return tx.commit().seq


def test_a_commit_spans_datasets_and_a_cursor(session: Session) -> None:
    with session.write("leads", reason="first") as tx:
        assert tx.upsert("leads", SOME_LEADS, {"n": 3}) == 3
        assert tx.append("stage_events", "select 'e1' as event_id, timestamp '2026-01-01' as at") == 1
        tx.set_cursor("source", {"page": 2})
        commit = tx.commit(rows=3)
    assert commit.seq == 1
    assert session.workspace.cursor("source") == {"page": 2}
    with session.query() as q:
        assert q.one("select count(*)::bigint from leads cross join stage_events") == (3,)


def test_leaving_without_commit_keeps_nothing(session: Session) -> None:
    with session.write("leads") as tx:
        tx.upsert("leads", SOME_LEADS, {"n": 3})
    assert session.workspace.head() == 0
    assert not list((session.workspace.private / "stage").iterdir())


def test_newest_row_of_a_key_counts_and_old_ones_stay_readable(session: Session) -> None:
    first = put(session, k1="one", k2="two")
    second = put(session, k2="zwei", k3="drei")
    with session.write("leads") as tx:
        tx.delete("leads", "select 1 as lead_id")
        tx.commit()
    assert emails(session) == {2: "zwei", 3: "drei"}
    assert emails(session, second) == {1: "one", 2: "zwei", 3: "drei"}
    assert emails(session, first) == {1: "one", 2: "two"}
    assert emails(session, 0) == {}


def test_get_sees_updates_and_deletions(session: Session) -> None:
    put(session, k1="one", k2="two")
    put(session, k2="zwei")
    with session.write("leads") as tx:
        tx.delete("leads", "select 1 as lead_id")
        tx.commit()
    with session.query() as q:
        found = q.get("leads", 2)
        assert found is not None
        assert found["email"] == "zwei"
        assert q.get("leads", 1) is None
        assert q.get("leads", 99) is None


def test_many_small_commits_are_compacted_without_changing_anything(session: Session) -> None:
    for i in range(80):
        put(session, **{f"k{i % 7}": f"v{i}"})
    assert emails(session) == {i % 7: f"v{i}" for i in range(80)}
    live = session.workspace.manifest.one("select count(*) from files where removed_seq is null")
    assert live is not None
    assert live[0] < 40


def test_idempotency_key_makes_a_repeat_a_no_op(session: Session) -> None:
    for _ in range(2):
        with session.write("leads", key="import-1") as tx:
            tx.upsert("leads", SOME_LEADS, {"n": 2})
            commit = tx.commit()
    assert commit.repeated
    assert commit.seq == 1
    assert session.workspace.head() == 1


@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param(pa.table({"lead_id": [1, 1]}), "more than once", id="doubled-key"),
        pytest.param(pa.table({"lead_id": pa.array([None], pa.int64())}), "have no lead_id", id="no-key"),
        pytest.param(pa.table({"lead_id": [1], "emial": ["x"]}), "unknown columns emial", id="unknown-column"),
        pytest.param(pa.table({"lead_id": [1], "employees": ["many"]}), "does not fit", id="wrong-type"),
    ],
)
def test_rows_that_would_break_a_dataset_are_refused(session: Session, table: pa.Table, message: str) -> None:
    with pytest.raises(DataError, match=message), session.write("leads") as tx:
        tx.upsert("leads", table)
    assert session.workspace.head() == 0


def test_a_state_dataset_is_only_written_under_its_lock(session: Session) -> None:
    with pytest.raises(InternalError, match="lock"), session.write("accounts") as tx:
        tx.upsert("leads", SOME_LEADS, {"n": 1})


def test_dry_run_leaves_every_byte_as_it_was(
    session: Session, open_again: Callable[..., Session], tmp_path: Path
) -> None:
    put(session, k1="one")
    session.close()
    before = {p: p.read_bytes() for p in sorted((tmp_path / "ws").rglob("*")) if p.is_file()}
    dry = open_again(dry_run=True)
    with dry.write("leads") as tx:
        assert tx.upsert("leads", SOME_LEADS, {"n": 5}) == 5
        assert tx.commit().seq is None
    assert dry.reserve("lead", 5) == 1
    dry.close()
    assert {p: p.read_bytes() for p in sorted((tmp_path / "ws").rglob("*")) if p.is_file()} == before


def test_as_of_takes_a_number_a_date_and_a_time(session: Session, clock: FixedClock) -> None:
    put(session, k1="one")
    clock.advance(timedelta(days=1))
    put(session, k1="two")
    clock.advance(timedelta(days=1))
    assert session.seq("1") == 1
    assert session.seq("2026-01-01") == 1
    assert session.seq("2026-01-02T08:59") == 1
    assert session.seq("2026-01-02T09:00") == 2
    assert session.seq("2025-12-31") == 0
    assert session.moment("2026-01-01") == datetime(2026, 1, 1, 23, 59, 59, 999999)
    with pytest.raises(NotFound, match="no commit 7"):
        session.query(7)


def test_reserved_numbers_are_never_given_twice(session: Session) -> None:
    assert [session.reserve("lead", 3), session.reserve("lead"), session.reserve("quote")] == [1, 4, 1]


def test_rows_of_an_older_schema_version_are_migrated_when_read(session: Session) -> None:
    """Touchpoints of version 1 had the kind in a column ``type``, in any case, and no session."""
    put_version_1(session)
    with session.query() as q:
        assert q.rows("select event_id, kind, session_id from touchpoints order by touchpoints.at") == [
            ("t1", "form_submit", None),
            ("t2", "visit", "s"),
        ]


def put_version_1(session: Session) -> None:
    from dataclasses import replace

    import pyarrow.parquet as pq

    from sfactl.workspace.stage import Staged, crc32_of

    with session.write() as tx:
        tx.append(
            "touchpoints", "select 't2' as event_id, timestamp '2026-01-02' as at, 'visit' as kind, 's' as session_id"
        )
        schema = session.workspace.schemas["touchpoints"]
        old = pa.schema([("event_id", pa.string()), ("at", pa.timestamp("us")), ("type", pa.string())])
        names = schema.versions[1]
        columns = {n: pa.array([None], old.field(n).type if n in old.names else pa.string()) for n in names}
        columns |= {
            "event_id": pa.array(["t1"]),
            "at": pa.array([datetime(2026, 1, 1)], pa.timestamp("us")),
            "type": pa.array(["Form_Submit"]),
        }
        path = tx.staging() / "old.parquet"
        pq.write_table(pa.table(columns), path)
        staged = Staged(
            dataset="touchpoints",
            kind="event",
            path=path,
            rows=1,
            bytes=path.stat().st_size,
            crc32=crc32_of(path),
            version=1,
            columns=names,
            key_min="t1",
            key_max="t1",
            time_min=None,
            time_max=None,
        )
        tx.adopt([replace(staged)], [])
        tx.commit()


def test_an_interruption_just_after_the_commit_takes_nothing_back(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = Manifest.writing

    @contextmanager
    def interrupted(manifest: Manifest) -> Iterator[sqlite3.Connection]:
        with writing(manifest) as db:
            yield db
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Manifest, "writing", interrupted)
        put(session, k1="one")
    assert emails(session) == {1: "one"}
    assert not verify(session.workspace).problems
