"""History stays readable and every commit can be undone: checked against a plain model over random operations."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.api.errors import Conflict, NotFound, PolicyError
from sfactl.session import Session
from sfactl.workspace import Author
from sfactl.workspace.compaction import compact, compact_all
from sfactl.workspace.history import changed_rows, changes, log, row_history
from sfactl.workspace.undo import undo
from sfactl.workspace.verify import verify

OPERATIONS = int(os.environ.get("SFACTL_OPERATIONS", "1000"))
State = tuple[dict[int, str], dict[str, int]]


def author(session: Session) -> Author:
    return Author(actor="tester", command="test", run_id="r", at=session.now())


def content(session: Session, seq: int | None = None) -> State:
    with session.query(seq) as q:
        products = {int(k): v for k, v in q.rows("select sku, name from products")}
        events = dict(q.rows("select event_id, entity_id from stage_events"))
    return products, events


def put(session: Session, rows: dict[int, str | None], events: dict[str, int]) -> int:
    """One commit: new and changed products, deletions (None), and appended events."""
    kept = {k: v for k, v in rows.items() if v is not None}
    gone = [k for k, v in rows.items() if v is None]
    with session.write("products") as tx:
        if kept:
            tx.upsert("products", pa.table({"sku": [str(k) for k in kept], "name": list(kept.values())}))
        if gone:
            tx.delete("products", pa.table({"sku": [str(k) for k in gone]}))
        if events:
            ids, numbers = list(events), list(events.values())
            tx.append(
                "stage_events", pa.table({"event_id": ids, "entity_id": numbers, "at": [session.now()] * len(ids)})
            )
        seq = tx.commit().seq
    assert seq is not None
    return seq


def random_operations(session: Session, draw: random.Random, n: int) -> list[tuple[int, State]]:
    """``n`` random changes of rows, a few a commit, with merges in between; each commit and the model's state after it."""
    products: dict[int, str] = {}
    events: dict[str, int] = {}
    history: list[tuple[int, State]] = []
    done = 0
    while done < n:
        step = len(history)
        rows: dict[int, str | None] = {}
        for _ in range(draw.randint(0, 8)):
            key = draw.randint(1, 40)
            rows[key] = None if key in products and draw.random() < 0.3 else f"v{step}-{draw.randint(0, 9)}"
        new = {f"e{step}-{i}": draw.randint(1, 9) for i in range(draw.randint(0 if rows else 1, 4))}
        seq = put(session, rows, new)
        products = {k: v for k, v in {**products, **rows}.items() if v is not None}
        events = {**events, **new}
        history.append((seq, (dict(products), dict(events))))
        done += len(rows) + len(new)
        if draw.random() < 0.08:
            compact(
                session.workspace, author(session), draw.choice(["products", "stage_events"]), full=draw.random() < 0.5
            )
    return history


@pytest.mark.slow
def test_as_of_equals_a_model_and_undoing_all_in_reverse_restores_it(session: Session) -> None:
    draw = random.Random(20261121)
    history = random_operations(session, draw, OPERATIONS)
    for seq, state in draw.sample(history, len(history) // 3):
        assert content(session, seq) == state
    states = dict(history)
    before = {seq: (history[i - 1][1] if i else ({}, {})) for i, (seq, _) in enumerate(history)}
    for i, (seq, _) in enumerate(reversed(history)):
        undo(session.workspace, author(session), seq)
        if i % 12 == 0:
            assert content(session) == before[seq]
    assert content(session) == ({}, {})
    assert content(session, history[-1][0]) == states[history[-1][0]]
    assert verify(session.workspace).problems == ()


def test_an_undo_can_be_undone(session: Session) -> None:
    put(session, {1: "one", 2: "two"}, {"e1": 1})
    second = put(session, {1: None, 2: "zwei", 3: "drei"}, {"e2": 2})
    after = content(session)
    undone = undo(session.workspace, author(session), second)
    assert content(session) == ({1: "one", 2: "two"}, {"e1": 1})
    assert undone.commit is not None
    compact_all(session.workspace, author(session), ["products", "stage_events"], full=True)
    undo(session.workspace, author(session), undone.commit)
    assert content(session) == after


def test_undo_refuses_rows_that_were_changed_since(session: Session) -> None:
    first = put(session, {1: "one", 2: "two"}, {})
    put(session, {2: "zwei"}, {})
    with pytest.raises(Conflict, match="1 rows of products were changed after commit 1: 2"):
        undo(session.workspace, author(session), first)
    assert content(session)[0] == {1: "one", 2: "zwei"}


def test_undo_twice_is_a_conflict_and_a_dry_run_changes_nothing(session: Session) -> None:
    first = put(session, {1: "one"}, {"e1": 1})
    dry = undo(session.workspace, author(session), first, dry_run=True)
    assert (dry.commit, dry.removed) == (None, {"products": 1, "stage_events": 1})
    assert content(session)[0] == {1: "one"}
    undo(session.workspace, author(session), first)
    with pytest.raises(Conflict):
        undo(session.workspace, author(session), first)
    with pytest.raises(NotFound, match="no commit 99"):
        undo(session.workspace, author(session), 99)


def test_undo_takes_a_cursor_back_and_frees_the_idempotency_key(session: Session) -> None:
    def pull(page: int) -> int:
        with session.write("leads", key=f"page-{page}") as tx:
            tx.upsert("leads", pa.table({"lead_id": [page]}))
            tx.set_cursor("source", {"page": page})
            return tx.commit().seq or 0

    pull(1)
    second = pull(2)
    undo(session.workspace, author(session), second)
    assert session.workspace.cursor("source") == {"page": 1}
    assert pull(2) > second
    assert session.workspace.cursor("source") == {"page": 2}


def test_what_went_out_cannot_be_undone(session: Session) -> None:
    with session.write() as tx:
        tx.append("messages", pa.table({"message_key": ["m"], "at": [session.now()]}))
        seq = tx.commit().seq
    with pytest.raises(PolicyError, match="cannot be taken back"):
        undo(session.workspace, author(session), seq or 0)


def test_differences_and_the_story_of_a_row(session: Session) -> None:
    put(session, {1: "one", 2: "two"}, {})
    put(session, {2: "zwei", 3: "drei"}, {})
    put(session, {2: None}, {})
    put(session, {2: "again"}, {})
    found = changes(session.workspace, 1, 2)
    assert [(c.dataset, c.added, c.changed, c.removed) for c in found] == [("products", 1, 1, 0)]
    rows = changed_rows(session.workspace, 1, 2, "products", limit=10).to_pylist()
    assert [(r["what"], r["sku"], r["field"], r["old"], r["new"]) for r in rows] == [
        ("changed", "2", "name", "two", "zwei"),
        ("added", "3", "name", None, "drei"),
    ]
    story = [
        (c.seq, c.field, c.old, c.new) for c in row_history(session.workspace, "products", ["2"]) if c.field == "name"
    ]
    assert story == [
        (1, "name", None, "two"),
        (2, "name", "two", "zwei"),
        (3, "name", "zwei", None),
        (4, "name", None, "again"),
    ]
    assert [e.seq for e in log(session.workspace, limit=2)] == [4, 3]
    with pytest.raises(NotFound):
        row_history(session.workspace, "products", ["77"])


def test_published_delta_tables_have_the_same_rows(session: Session) -> None:
    deltalake = pytest.importorskip("deltalake", reason="the package deltalake is an extra")
    from sfactl.workspace.publish import publish_delta

    put(session, {1: "one", 2: "two"}, {"e1": 1})
    put(session, {2: "zwei"}, {"e2": 2})
    for expected in ({1: "one", 2: "zwei"}, {1: "one", 2: "zwei", 3: "drei"}):
        tables = publish_delta(session.workspace, author(session), ["products", "stage_events"])
        assert [t.rows for t in tables] == [len(expected), 2]
        files = deltalake.DeltaTable(tables[0].table).file_uris()
        with session.query() as q:
            assert (
                dict(q.rows(f"select sku::bigint, name from read_parquet({[str(Path(f)) for f in files]!r})"))
                == expected
            )
        put(session, {3: "drei"}, {})


def test_every_reader_sees_one_snapshot_while_files_are_merged(
    session: Session, open_again: Callable[..., Session]
) -> None:
    put(session, {1: "one"}, {})
    put(session, {2: "two"}, {})
    with session.query() as q:
        assert q.one("select count(*)::bigint from products") == (2,)
        other = open_again()
        put(other, {3: "three"}, {})
        compact(other.workspace, author(other), "products", full=True)
        assert q.one("select count(*)::bigint from products") == (2,)
        assert q.get("products", "3") is None
