"""A rebuild that looks only at what may have changed stores the same members as one that looks at everything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfactl.config.settings import Settings, WorkspaceSettings
from sfactl.engine.conditions import compile_many
from sfactl.segments import files, usecases
from sfactl.segments.usecases import incremental
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace, changes
from sfactl.workspace.compaction import compact
from sfactl.workspace.transaction import Author

NOW = datetime(2026, 11, 21, 9)
SEGMENTS = {
    "field": "country = 'TW' and employees > 5",
    "recent": "count(touchpoints) filter (where within('5 days')) >= 2",
    "silent": "not has(touchpoints) filter (where within('10 days') and kind = 'visit') and has(touchpoints)",
    "young": "within('7 days', created_at)",
    "early": "within('2 months', first_contact_on) and coalesce(sum(orders.amount), 0) < 100",
    "buyer": "sum(orders.amount) filter (where within('1 month')) > 50 or max(orders.amount) > employees",
    "linked": "member_of('field') and not member_of('recent')",
    "scored": "score.intent >= 5",
    "layered": "layer.rfm = 'loyal' and layer.rfm.third >= 2",
    "followed": "has(touchpoints) filter (where kind = 'visit' and followed_by(orders, '4 days'))",
    "unanswered": "has(touchpoints) filter (where kind = 'visit' and not followed_by(orders, '36 hours'))",
    "second": "has(orders) filter (where nth(2)) and not member_of('unanswered')",
}
CLOCKED = {
    "today": "has(touchpoints) filter (where date(at) = today())",
    "on that day": "has(touchpoints) filter (where not followed_by(touchpoints, 'same day'))",
    "born": "anniversary(first_contact_on, '20 days') and days_since(created_at) < 5",
}
"""Conditions of which passing time may change anything: with one of them a rebuild looks at all."""
Step = tuple[str, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["lead", "event", "future", "order", "move", "drop lead", "drop order", "score", "clock", "compact"]
        ),
        st.integers(1, 12),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=5,
)


def lead_rows(now: datetime, numbers: list[int], salt: int) -> pa.Table:
    return pa.table(
        {
            "lead_id": numbers,
            "country": ["TW" if (n + salt) % 2 else "DE" for n in numbers],
            "employees": pa.array([None if (n + salt) % 7 == 0 else (n * 3 + salt) % 11 for n in numbers], pa.int64()),
            "created_at": [now - timedelta(days=(n + salt) % 13) for n in numbers],
            "first_contact_on": [(now - timedelta(days=(n * 9 + salt) % 90)).date() for n in numbers],
        }
    )


def do(session: Session, clock: FixedClock, step: Step, number: int) -> None:
    what, n, k = step
    now = session.now()
    if what == "clock":
        clock.advance(timedelta(days=k / 3, hours=n))
    elif what == "compact":
        author = Author(actor="t", command="compact", run_id="t", at=now)
        for dataset in ("leads", "touchpoints", "orders"):
            compact(session.workspace, author, dataset, full=bool(k % 2) and dataset != "touchpoints")
    elif what in ("event", "future"):
        at = now + timedelta(days=k / 5) if what == "future" else now - timedelta(days=k / 2)
        kinds = ["visit", "click"]
        rows = {
            "event_id": [f"{number}-{i}" for i in range(2)],
            "lead_id": [n, (n + k) % 13],
            "at": [at] * 2,
            "kind": kinds,
        }
        with session.write() as tx:
            tx.append("touchpoints", pa.table(rows))
            tx.commit()
    else:
        change(session, what, n, k, now)


def change(session: Session, what: str, n: int, k: int, now: datetime) -> None:
    with session.write("leads", "orders", "scores", "layers") as tx:
        if what == "lead":
            tx.upsert("leads", lead_rows(now, [n], k))
        elif what == "drop lead":
            tx.delete("leads", pa.table({"lead_id": [n]}))
        elif what == "order":
            at = [now - timedelta(days=k)]
            tx.upsert("orders", pa.table({"order_id": [n], "lead_id": [(n * k) % 13], "at": at, "amount": [30 + k]}))
        elif what == "move":
            tx.upsert(
                "orders", "select * replace ((lead_id + 1) % 13 as lead_id) from orders where order_id = $n", {"n": n}
            )
        elif what == "drop order":
            tx.delete("orders", pa.table({"order_id": [n]}))
        else:
            row = {"lead_id": [n], "score": ["intent"], "points": [float(k % 10)], "as_of": [now]}
            tx.upsert("scores", pa.table(row))
            layer = {"layer": ["rfm"], "lead_id": [n], "class": ["loyal" if k % 3 else "new"], "third": [k % 5]}
            tx.upsert("layers", pa.table(layer))
        tx.commit()


def expected(session: Session) -> set[tuple[str, int]]:
    many = compile_many(
        files.as_conditions(files.read_segments(session.folder).values()),
        schemas=session.workspace.schemas,
        now=session.now(),
        as_segments=True,
    )
    with session.query() as query:
        return {
            (name, row[0])
            for name, column in many.columns.items()
            for row in query.rows(f'select lead_id from ({many.sql}) as f where "{column}"', many.params)
        }


def stored(session: Session) -> set[tuple[str, int]]:
    with session.query() as query:
        return set(query.rows("select segment, lead_id from segment_members"))


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rounds=st.lists(steps, min_size=1, max_size=4),
    clocked=st.integers(0, 3),
    zone=st.sampled_from(["UTC", "Asia/Taipei", "America/New_York"]),
)
def test_a_rebuild_stores_what_a_full_build_would(rounds: list[list[Step]], clocked: int, zone: str) -> None:
    clock = FixedClock(NOW)
    # In a world this small almost every change would be too large a share to go on from.
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as place:
        patch.setattr(changes, "LARGEST_SHARE", 1000)
        folder = Path(place) / "ws"
        Workspace.create(folder).close()
        for name in ("segments", "scores"):
            (folder / name).mkdir()
        (folder / "scores" / "intent.toml").write_text("schema = 1\n", encoding="utf-8")
        for name, where in (SEGMENTS if clocked else SEGMENTS | CLOCKED).items():
            (folder / "segments" / f"{name}.toml").write_text(f'schema = 1\nwhere = """{where}"""\n', encoding="utf-8")
        chosen = Settings(workspace=WorkspaceSettings(time_zone=zone))
        with open_session(folder, settings=chosen, command="t", actor="t", clock=clock) as session:
            with session.write("leads", "orders") as tx:
                tx.upsert("leads", lead_rows(NOW, list(range(1, 40)), 0))
                days = range(1, 13)
                at = [NOW - timedelta(days=n) for n in days]
                tx.upsert("orders", pa.table({"order_id": days, "lead_id": days, "at": at, "amount": [60] * 12}))
                tx.commit()
            usecases.build(session)
            for round_number, several in enumerate(rounds):
                for number, step in enumerate(several):
                    do(session, clock, step, 10 * round_number + number)
                usecases.build(session)
                assert stored(session) == expected(session)


@pytest.fixture
def built(session: Session, leads: None) -> Session:
    usecases.build(session)
    return session


def looked_at(session: Session) -> int | None:
    """How many leads a rebuild would look at; None for all."""
    segments = list(files.read_segments(session.folder).values())
    earlier = incremental.earlier_build(session, segments, session.now())
    if earlier is None:
        return None
    many = compile_many(
        files.as_conditions(segments), schemas=session.workspace.schemas, now=session.now(), as_segments=True
    )
    with session.query() as query:
        if not incremental.candidates(session, query, many, earlier, session.now()):
            return None
        return len(query.rows("select lead_id from candidates"))


def test_nothing_changed_is_nothing_to_look_at(built: Session) -> None:
    # The build's own commit is not news to the next one: the preset asks for no stored membership.
    assert looked_at(built) == 0


def test_one_changed_lead_is_looked_at_alone(built: Session) -> None:
    with built.write("leads") as tx:
        tx.upsert("leads", "select * replace (99 as employees) from leads where lead_id = 5")
        tx.commit()
    assert looked_at(built) == 1


def test_passing_time_looks_at_whom_it_moves(built: Session, clock: FixedClock) -> None:
    clock.advance(timedelta(minutes=5))
    assert looked_at(built) == 1  # lead 7 was made exactly a week ago
    clock.advance(timedelta(days=2))
    assert 0 < (looked_at(built) or 0) <= 12


@pytest.mark.parametrize("change", ["text", "clock back", "today", "new segment"])
def test_when_in_doubt_all_are_looked_at(built: Session, clock: FixedClock, change: str) -> None:
    def write(name: str, where: str) -> None:
        (built.folder / "segments" / f"{name}.toml").write_text(
            f'schema = 1\nwhere = """{where}"""\n', encoding="utf-8"
        )

    if change == "text":
        write("sleeping", "country = 'DE'")
    elif change == "new segment":
        write("fresh", "country = 'DE'")
    elif change == "clock back":
        clock.advance(timedelta(days=-1))
    else:
        write("sleeping", "days_since(created_at) > 3")
        usecases.build(built)
    assert looked_at(built) is None


def test_undoing_an_import_undoes_memberships(built: Session, opened: Callable[..., Session]) -> None:
    with built.write("leads") as tx:
        tx.upsert("leads", "select * replace ('disqualified' as status) from leads where lead_id = 6")
        tx.commit()
    before = stored(built)
    usecases.build(built)
    assert stored(built) != before
    with built.write("leads") as tx:
        tx.upsert("leads", "select * replace ('new' as status) from leads where lead_id = 6")
        tx.commit()
    usecases.build(built)
    assert stored(built) == before == expected(built)
