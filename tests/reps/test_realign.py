"""Leads move to where the rules would put them now, and nothing else moves; the plan is done exactly or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.api.errors import Conflict
from sfactl.reps import usecases
from sfactl.reps.model import Assignment, Realigned
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

from .conftest import ALONE, NOW

RULES = """schema = 1
stages = ["new"]
[[rules]]
name = "known"
method = "sticky"
[[rules]]
name = "everyone"
[territories.dach]
countries = {dach}
[territories.asia]
countries = {asia}
"""
BEFORE = RULES.format(dach=["DE", "CH"], asia=["TW"])
AFTER = RULES.format(dach=["DE"], asia=["TW", "CH"])
REPS = [("anna", "dach"), ("ben", "dach"), ("mei", "asia")]
COUNTRIES = ("DE", "CH", "TW")


def put(session: Session, dataset: str, *rows: dict[str, object]) -> None:
    with session.write(dataset) as tx:
        tx.upsert(dataset, pa.Table.from_pylist(list(rows), session.workspace.schemas[dataset].arrow()))
        tx.commit()


def rep(name: str, territory: str, **more: object) -> dict[str, object]:
    return {"rep_id": name, "active": True, "weight": 1, "territories": territory} | more


def owners(session: Session) -> dict[int, str]:
    with session.query() as query:
        return dict(query.rows("select lead_id, owner from leads"))


@pytest.fixture(scope="module")
def given_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty leads of three countries, given out by the rules as they were; then Switzerland went to Asia."""
    folder = tmp_path_factory.mktemp("realign") / "ws"
    Workspace.create(folder).close()
    (folder / "assignment.toml").write_text(BEFORE, encoding="utf-8")
    with opened(folder) as session:
        put(session, "reps", *(rep(name, territory) for name, territory in REPS))
        put(session, "leads", *({"lead_id": n, "status": "new", "country": COUNTRIES[n // 2 % 3]} for n in range(30)))
        usecases.run(session)
    (folder / "assignment.toml").write_text(AFTER, encoding="utf-8")
    return folder


@pytest.fixture
def sales(given_out: Path, tmp_path: Path) -> Iterator[Session]:
    """A session on a copy of its own."""
    shutil.copytree(given_out, tmp_path / "ws")
    with opened(tmp_path / "ws") as session:
        yield session


def opened(folder: Path) -> Session:
    clock = FixedClock(NOW)
    return open_session(folder, settings=ALONE, command="assign run", actor="boss", clock=clock, quiet=True)


def planned(session: Session) -> Assignment:
    return usecases.plan(session, realign=True)


def test_who_is_in_the_wrong_hands_moves_and_nobody_else(sales: Session) -> None:
    before = owners(sales)
    plan = planned(sales)
    assert (plan.queue, plan.given, plan.waiting) == (10, 10, 0)
    assert sorted(plan.moves, key=lambda m: m.before) == [
        Realigned(before="anna", after="mei", why="outside of dach", leads=5),
        Realigned(before="ben", after="mei", why="outside of dach", leads=5),
    ]
    assert owners(sales) == before, "a plan moves nobody"
    assert planned(sales).plan_id == plan.plan_id
    usecases.apply(sales, plan.plan_id)
    assert owners(sales) == {n: "mei" if n // 2 % 3 == 1 else rep_id for n, rep_id in before.items()}
    assert usecases.apply(sales, plan.plan_id).applied_at is not None
    assert planned(sales).queue == 0
    with sales.query() as query:
        told = query.rows("select previous_rep_id, reason from assignments where entity_id = 2 order by event_id desc")
    assert told[0][0] == before[2]
    assert told[0][1].startswith(f"{before[2]} outside of dach; turn ")


def test_what_moved_since_the_plan_stops_it(sales: Session) -> None:
    plan = planned(sales)
    put(sales, "leads", {"lead_id": 100, "status": "new", "country": "CH", "owner": "ben"})
    before = owners(sales)
    with pytest.raises(Conflict, match="lead:100 is new"):
        usecases.apply(sales, plan.plan_id)
    assert owners(sales) == before
    plan = planned(sales)
    put(sales, "leads", {"lead_id": 100, "status": "new", "country": "CH", "owner": "anna"})
    with pytest.raises(Conflict):  # to whom a lead belongs is a part of the plan
        usecases.apply(sales, plan.plan_id)


def test_what_a_person_gave_by_hand_stays(sales: Session) -> None:
    usecases.give(sales, [0], to="mei")
    usecases.give(sales, [2], to="ben" if owners(sales)[2] == "anna" else "anna")
    assert planned(sales).given == 9
    put(sales, "reps", rep("mei", "asia", active=False))
    found = usecases.planned_owners(sales, realign=True).to_pylist()
    assert 0 in {row["lead_id"] for row in found}, "unless the rep has left"


def test_a_rep_who_left_or_whom_nobody_knows_keeps_nothing(sales: Session) -> None:
    put(sales, "reps", rep("ben", "dach", active=False))
    put(sales, "leads", {"lead_id": 100, "status": "new", "country": "DE", "owner": "ghost"})
    plan = planned(sales)
    assert {(m.before, m.after, m.why) for m in plan.moves} == {
        ("anna", "mei", "outside of dach"),
        ("ben", "anna", "not active"),
        ("ben", "mei", "not active"),
        ("ghost", "anna", "is no rep"),
    }


def test_who_is_away_full_or_out_of_turns_keeps_what_is_theirs(sales: Session) -> None:
    usecases.apply(sales, planned(sales).plan_id)
    put(sales, "reps", rep("anna", "dach", capacity=1), rep("ben", "dach", weight=0))
    away = {"absence_id": "a", "rep_id": "mei", "starts_at": datetime(2026, 5, 1), "ends_at": datetime(2026, 6, 1)}
    schema = sales.workspace.schemas["absences"].arrow()
    put(sales, "absences", {k: v for k, v in away.items() if k in schema.names})
    assert planned(sales).queue == 0


def test_a_lead_that_nobody_could_take_stays_where_it_is(sales: Session) -> None:
    put(sales, "reps", rep("mei", "asia", capacity=10))
    plan = planned(sales)
    assert (plan.queue, plan.given, plan.waiting) == (10, 0, 10)
    before = owners(sales)
    usecases.apply(sales, plan.plan_id)
    assert owners(sales) == before
