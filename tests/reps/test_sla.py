"""First responses: measured in working time, passed on once, and what nobody looks after."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.errors import ConfigError
from sfactl.reps import usecases
from sfactl.session import Session

MONDAY = datetime(2026, 5, 4)
OFFICE = "schema = 1\n[hours]\n" + "".join(
    f'{day} = ["09:00-12:30", "13:30-18:00"]\n' for day in ("monday", "tuesday", "wednesday", "thursday", "friday")
)
RULES = 'schema = 1\n[[rules]]\nname = "all"\n[sla]\nfirst_response = "30 minutes"\ncalendar = "office"\n'


@pytest.fixture
def sales(session: Session) -> Session:
    (session.folder / "calendars").mkdir()
    (session.folder / "calendars" / "office.toml").write_text(OFFICE)
    (session.folder / "assignment.toml").write_text(RULES)
    return session


def at(session: Session, text: str) -> None:
    session.clock.at = datetime.fromisoformat(text)  # type: ignore[attr-defined]


def rows(session: Session, dataset: str, *given: dict[str, Any]) -> None:
    with session.write(dataset) as tx:
        table = pa.Table.from_pylist(list(given), schema=session.workspace.schemas[dataset].arrow())
        (tx.append if session.workspace.schemas[dataset].kind == "event" else tx.upsert)(dataset, table)
        tx.commit()


def leads(session: Session, *ids: int, **fields: Any) -> None:
    rows(session, "leads", *({"lead_id": i, "status": "sql", "created_at": session.now(), **fields} for i in ids))


def touch(session: Session, lead_id: int, when: str, **fields: Any) -> None:
    said = {"event_id": f"{lead_id}-{when}-{len(fields)}", "at": datetime.fromisoformat(when), "lead_id": lead_id}
    rows(session, "touchpoints", {**said, "kind": "call", "direction": "outbound", "actor": "a", **fields})


def found(session: Session) -> dict[int, tuple[Any, ...]]:
    return {
        r["lead_id"]: (r["state"], r["due_at"] and f"{r['due_at']:%d %H:%M}", r["took_s"] // 60, r["wall_s"] // 60)
        for r in usecases.sla(session)[1].to_pylist()
    }


def test_a_lead_of_the_lunch_break_is_due_half_an_hour_after_it(sales: Session) -> None:
    usecases.add(sales, "a", {})
    at(sales, "2026-05-04 12:30")
    leads(sales, 1)
    usecases.run(sales)
    at(sales, "2026-05-04 13:45")
    assert found(sales) == {1: ("due", "04 14:00", 15, 75)}
    at(sales, "2026-05-04 14:00")
    assert found(sales)[1][0] == "due"
    at(sales, "2026-05-04 14:01")
    assert found(sales)[1][0] == "breached"


def test_only_what_the_owner_sends_counts_as_a_response(sales: Session) -> None:
    usecases.add(sales, "a", {"email": "A@acme.example"})
    leads(sales, *range(1, 7))
    usecases.run(sales)
    at(sales, "2026-05-05 09:00")
    touch(sales, 1, "2026-05-04 09:20", actor="a@ACME.example")
    touch(sales, 2, "2026-05-04 09:20", actor="somebody")
    touch(sales, 3, "2026-05-04 09:20", direction="inbound")
    touch(sales, 4, "2026-05-04 09:20", campaign="welcome")
    touch(sales, 5, "2026-05-04 08:59")
    touch(sales, 6, "2026-05-04 10:30")
    states = {n: s for n, (s, *_) in found(sales).items()}
    assert states == {1: "met", 2: "breached", 3: "breached", 4: "breached", 5: "breached", 6: "late"}
    promise, _ = usecases.sla(sales)
    assert (promise.due, promise.met, promise.late, promise.breached) == (0, 1, 1, 4)


def test_the_reps_own_zone_hours_and_absences_count(sales: Session) -> None:
    (sales.folder / "calendars" / "late.toml").write_text('schema = 1\n[hours]\nmonday = ["20:00-21:00"]\n')
    at(sales, "2026-05-04 08:00")
    usecases.add(sales, "a", {"time_zone": "Asia/Taipei"})  # 16:00 there
    usecases.add(sales, "b", {"calendar": "late"})
    usecases.add(sales, "c", {})
    leads(sales, 1, 2, 3)
    usecases.run(sales)
    usecases.away(sales, "c", begin="2026-05-04T08:30", end="2026-05-04T17:50")
    assert {n: due for n, (_, due, *_) in found(sales).items()} == {1: "04 08:30", 2: "04 20:30", 3: "05 09:20"}


def test_a_breach_goes_to_the_next_rep_once_and_never_back(sales: Session) -> None:
    for rep in ("a", "b", "c"):
        usecases.add(sales, rep, {})
    leads(sales, 1)
    usecases.run(sales)
    assert usecases.pass_on(sales).moved == ()
    at(sales, "2026-05-04 09:31")
    done = usecases.pass_on(sales)
    assert [(m.lead_id, m.before, m.after) for m in done.moved] == [(1, "a", "b")]
    assert done.moved[0].reason.startswith("no response by a until 2026-05-04 09:30; turn 1")
    assert usecases.pass_on(sales).moved == ()
    assert found(sales)[1][:2] == ("due", "04 10:01")
    at(sales, "2026-05-04 11:00")
    assert found(sales)[1][0] == "breached"
    again = usecases.pass_on(sales)
    assert (again.moved, again.stays, again.commit) == ((), (), None)
    explained = usecases.explain(sales, 1)
    assert (explained.owner, explained.strategy) == ("b", "sla")
    assert {c.rep_id: c.why_not for c in explained.chances}["a"] in ("", "had it before")


def test_a_breach_stays_where_nobody_else_can_take_it(sales: Session, open_sales: Callable[..., Session]) -> None:
    usecases.add(sales, "a", {})
    leads(sales, 1)
    usecases.run(sales)
    at(sales, "2026-05-05 09:00")
    done = usecases.pass_on(sales)
    assert [(s.lead_id, s.before, s.reason) for s in done.stays] == [(1, "a", "nobody can take it: 1 had it before")]
    assert done.commit is None
    usecases.add(sales, "b", {})
    head = sales.workspace.head()
    assert len(usecases.pass_on(open_sales(dry_run=True)).moved) == 1
    assert sales.workspace.head() == head


def test_every_open_lead_is_looked_after_or_listed_with_its_age(sales: Session) -> None:
    usecases.add(sales, "a", {})
    leads(sales, 1, 2)
    leads(sales, 3, status="converted")
    leads(sales, 4, status="new", owner="a")
    at(sales, "2026-05-07 09:00")
    listed = [(r["lead_id"], r["owner"], r["why"], r["age_days"]) for r in usecases.unhandled(sales).to_pylist()]
    late = (4, "a", "no follow-up, due 2026-05-04 09:30", 3)
    assert listed == [(1, None, "no owner", 3), (2, None, "no owner", 3), late]
    usecases.run(sales)
    touch(sales, 4, "2026-05-06 10:00")
    assert usecases.unhandled(sales).num_rows == 0
    at(sales, "2026-05-08 09:00")
    assert [r["lead_id"] for r in usecases.unhandled(sales).to_pylist()] == [1, 2]


@pytest.mark.parametrize(
    ("sla", "message"),
    [
        ("", "no first response is promised"),
        ('[sla]\nfirst_response = "0 minutes"\n', "sla: first_response: '0 minutes' is no time at all"),
        ('[sla]\nfirst_response = "1 month"\n', "has no fixed length"),
        ('[sla]\nfirst_response = "soon"\n', "'soon' is not a period"),
        ('[sla]\nfirst_response = "1 hour"\ncalendar = "ofice"\n', "there is no calendar 'ofice'"),
    ],
)
def test_a_promise_that_cannot_be_is_refused(read_only: Session, sla: str, message: str) -> None:
    (read_only.folder / "assignment.toml").write_text(f'schema = 1\n[[rules]]\nname = "all"\n{sla}')
    with pytest.raises(ConfigError) as caught:
        usecases.sla(read_only)
    assert message in caught.value.message


def test_a_rep_without_working_time_is_never_due(sales: Session) -> None:
    usecases.add(sales, "a", {})
    leads(sales, 1)
    usecases.run(sales)
    usecases.away(sales, "a", begin="2026-05-04T09:00", end="2046-05-04")
    sales.clock.advance(timedelta(days=400))  # type: ignore[attr-defined]
    assert found(sales)[1][:3] == ("due", None, 0)
