"""Reps and assignment in a workspace: owners, reasons, queue and history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.errors import Conflict, DataError, NotFound, PolicyError, UserError
from sfactl.reps import usecases
from sfactl.session import Session

NOW = datetime(2026, 5, 4, 9)


def leads(session: Session, *ids: int, **fields: Any) -> None:
    rows = [{"lead_id": i, "status": "sql", "created_at": NOW - timedelta(days=i), **fields} for i in ids]
    with session.write("leads") as tx:
        tx.upsert("leads", pa.Table.from_pylist(rows, schema=session.workspace.schemas["leads"].arrow()))
        tx.commit()


def owners(session: Session) -> dict[int, str | None]:
    with session.query() as query:
        return dict(query.rows("select lead_id, owner from leads"))


def test_every_sql_gets_one_owner_in_one_commit(session: Session) -> None:
    for rep in ("b", "a"):
        usecases.add(session, rep, {})
    leads(session, 4, 3, 2, 1)
    leads(session, 5, status="mql")
    done = usecases.run(session)
    assert owners(session) == {1: "a", 2: "b", 3: "a", 4: "b", 5: None}
    assert [(s.rep_id, s.open_before, s.given, s.open_after) for s in done.reps] == [("a", 0, 2, 2), ("b", 0, 2, 2)]
    with session.query() as query:
        events = query.rows("select entity_id, rep_id, strategy, reason from assignments order by entity_id")
    assert events[2] == (3, "a", "round-robin", "turn 2, open leads 2")
    assert usecases.run(session).given == 0
    assert session.workspace.head() == done.commit


def test_the_same_data_gives_the_same_plan_and_run_does_it(session: Session) -> None:
    usecases.add(session, "a", {"capacity": "2"})
    leads(session, 1, 2, 3)
    plan = usecases.plan(session)
    assert (plan.given, plan.waiting) == (2, 1)
    again = usecases.plan(session)
    assert (again.plan_id, again.reps, again.reasons) == (plan.plan_id, plan.reps, plan.reasons)
    assert again.since is not None and (again.since.new, again.since.gone, again.since.moved) == (0, 0, 0)
    assert usecases.planned_owners(session)["rep_id"].to_pylist() == ["a", "a"]
    assert usecases.run(session, plan_id=plan.plan_id[:6]).plan_id == plan.plan_id


def test_a_plan_that_the_data_left_behind_is_a_conflict(session: Session) -> None:
    usecases.add(session, "a", {})
    leads(session, 1)
    plan = usecases.plan(session)
    leads(session, 2)
    with pytest.raises(Conflict, match=f"since plan {plan.plan_id}"):
        usecases.run(session, plan_id=plan.plan_id)
    assert owners(session) == {1: None, 2: None}


def test_a_dry_run_writes_nothing(open_sales: Callable[..., Session]) -> None:
    usecases.add(open_sales(), "a", {})
    leads(open_sales(), 1)
    dry = open_sales(dry_run=True)
    head = dry.workspace.head()
    assert usecases.run(dry).given == 1
    assert dry.workspace.head() == head
    assert owners(dry) == {1: None}


def test_who_finds_no_place_waits_and_gets_one_when_it_frees(session: Session) -> None:
    usecases.add(session, "a", {"capacity": "1"})
    usecases.add(session, "jp", {"countries": "JP"})
    leads(session, 1, 2, country="TW")
    done = usecases.run(session)
    assert owners(session) == {1: "a", 2: None}
    assert [(w.reason, w.leads) for w in done.reasons] == [("its only active rep is at capacity", 1)]
    (row,) = usecases.queue(session).to_pylist()
    assert (row["lead_id"], row["age_days"], row["reason"]) == (2, 2, "its only active rep is at capacity")
    leads(session, 1, status="converted", owner="a")
    usecases.run(session)
    assert owners(session) == {1: "a", 2: "a"}
    assert usecases.queue(session).num_rows == 0


def test_turns_go_on_over_runs_and_open_leads_do_not_count(session: Session) -> None:
    for rep in ("a", "b", "c"):
        usecases.add(session, rep, {})
    leads(session, *range(100, 110), owner="a", status="mql")
    handed: Counter[str | None] = Counter()
    for start in (1, 11, 16, 20):
        leads(session, *range(start, start + 4))
        usecases.run(session)
    handed.update(owner for lead_id, owner in owners(session).items() if lead_id < 100)
    assert max(handed.values()) - min(handed.values()) <= 1


def test_balanced_levels_the_open_leads(session: Session) -> None:
    for rep, weight in (("a", "1"), ("b", "1"), ("c", "2")):
        usecases.add(session, rep, {"weight": weight})
    leads(session, *range(100, 105), owner="a", status="mql")
    leads(session, *range(11))
    done = usecases.run(session, strategy="balanced")
    assert {s.rep_id: s.open_after for s in done.reps} == {"a": 5, "b": 4, "c": 7}
    assert usecases.run(session).strategy == "round-robin"


def test_a_newcomer_does_not_catch_up_with_turns_of_before(session: Session) -> None:
    usecases.add(session, "a", {})
    leads(session, *range(10))
    usecases.run(session)
    session.clock.advance(timedelta(days=1))  # type: ignore[attr-defined]
    usecases.add(session, "b", {})
    leads(session, *range(10, 14))
    usecases.run(session)
    assert Counter(owners(session)[i] for i in range(10, 14)) == {"a": 2, "b": 2}


def test_by_hand_and_back(session: Session) -> None:
    usecases.add(session, "a", {"capacity": "1"})
    usecases.add(session, "off", {"active": "no"})
    leads(session, 1, 2)
    leads(session, 3, status="converted")
    assert usecases.give(session, [1], to="a").given == 1
    assert usecases.give(session, [1], to="a").given == 0
    with pytest.raises(PolicyError, match="rep a has 1 of 1 open leads"):
        usecases.give(session, [2], to="a")
    with pytest.raises(PolicyError, match="not active"):
        usecases.give(session, [2], to="off")
    with pytest.raises(PolicyError, match="lead:3 is converted"):
        usecases.give(session, [3], to="a")
    with pytest.raises(NotFound, match="no rep 'x'"):
        usecases.give(session, [2], to="x")
    usecases.give(session, [1], to=None)
    usecases.give(session, [2], to="a")
    assert owners(session) == {1: None, 2: "a", 3: None}


def test_explain_an_owner_and_a_lead_that_waits(session: Session) -> None:
    usecases.add(session, "a", {"capacity": "1", "weight": "2"})
    leads(session, 1, 2, country="TW")
    leads(session, 3, owner="a", status="mql")
    usecases.change(session, "a", {"capacity": "2"})
    usecases.run(session)
    owned = usecases.explain(session, 1)
    assert (owned.owner, owned.strategy, owned.reason) == ("a", "round-robin", "turn 1 at weight 2, open leads 2 of 2")
    assert usecases.explain(session, 3).reason == "the owner came with the lead, not by an assignment"
    waiting = usecases.explain(session, 2)
    assert (waiting.owner, waiting.reason) == (None, "its only active rep is at capacity")
    assert [(c.rep_id, c.why_not) for c in waiting.chances] == [("a", "at capacity (2 of 2)")]
    usecases.add(session, "b", {})
    assert usecases.explain(session, 2).reason == "a run now would give it to b"


def test_reps_from_a_file_are_idempotent(session: Session) -> None:
    file = Path(__file__).resolve().parents[2] / "configs" / "b2b" / "reps.csv"
    first, second = usecases.import_reps(session, file), usecases.import_reps(session, file)
    assert (first.new, first.updated, first.unchanged) == (4, 0, 0)
    assert (second.new, second.updated, second.unchanged, second.commit) == (0, 0, 4, None)
    changed = usecases.change(session, "mei", {"capacity": ""})
    assert changed.updated == 1
    listed = {row["rep_id"]: row for row in usecases.list_reps(session).to_pylist()}
    assert (listed["mei"]["capacity"], listed["mei"]["countries"], listed["mei"]["weight"]) == (None, "HK,TW", 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rep_id,nam\na,A\n", "unknown column 'nam'"),
        ("rep_id,weight\na,heavy\n", r"row 2: weight 'heavy'"),
        ("rep_id,capacity\na,-1\n", r"row 2: capacity '-1'"),
        ("rep_id,countries\na,Japan\n", r"row 2: country 'JAPAN'"),
        ("rep_id,time_zone\na,Asia/Taipeh\n", "Asia/Taipeh"),
        ("rep_id,active\na,maybe\n", "active 'maybe'"),
        ("rep_id\na\na\n", r"row 3: rep_id 'a' is there twice"),
        ("rep_id,name\n,A\n", r"row 2: rep_id ''"),
        ("rep_id\na,b\n", "unknown column"),
    ],
)
def test_a_wrong_file_of_reps_names_row_and_value(session: Session, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "reps.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=message):
        usecases.import_reps(session, file)
    assert usecases.list_reps(session).num_rows == 0


def test_a_rep_is_added_once_and_changed_only_if_there(session: Session) -> None:
    usecases.add(session, "a", {})
    with pytest.raises(UserError, match="there is a rep a already"):
        usecases.add(session, "a", {})
    with pytest.raises(NotFound, match="no rep 'b'"):
        usecases.change(session, "b", {})
