"""The public pool and its rules, on a clock that only the test moves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.errors import ConfigError, NotFound, PolicyError
from sfactl.reps import usecases
from sfactl.session import Session

POOL = """schema = 1
holding_cap = 3
protection = "10 days"
idle = "4 days"
deadline = "20 days"
sleep = "30 days"
[[cool_downs]]
where = "company is null"
wait = "1 hour"
[[cool_downs]]
wait = "12 hours"
"""


@pytest.fixture
def sales(session: Session) -> Session:
    (session.folder / "pool.toml").write_text(POOL)
    for rep in ("mei", "ken"):
        usecases.add(session, rep, {})
    return session


def later(session: Session, **by: int) -> None:
    session.clock.advance(timedelta(**by))  # type: ignore[attr-defined]


def rows(session: Session, dataset: str, *given: dict[str, Any]) -> None:
    with session.write(dataset) as tx:
        table = pa.Table.from_pylist(list(given), schema=session.workspace.schemas[dataset].arrow())
        (tx.append if session.workspace.schemas[dataset].kind == "event" else tx.upsert)(dataset, table)
        tx.commit()


def leads(session: Session, *ids: int, **fields: Any) -> None:
    rows(session, "leads", *({"lead_id": i, "status": "mql", "created_at": session.now(), **fields} for i in ids))


def touch(session: Session, lead_id: int, direction: str) -> None:
    event = {"event_id": f"{lead_id}-{session.now()}", "at": session.now(), "kind": "call", "lead_id": lead_id}
    rows(session, "touchpoints", {**event, "direction": direction, "actor": "mei"})


def states(session: Session) -> dict[int, tuple[str, str | None]]:
    with session.query() as query:
        return {n: (s, h) for n, s, h in query.rows("select lead_id, state, holder from lead_pool")}


def refusals(session: Session, *ids: int, by: str) -> dict[int, str]:
    return {r.lead_id: r.reason for r in usecases.claim(session, ids, by=by).refused}


def test_a_claim_protects_and_the_history_says_so(sales: Session) -> None:
    leads(sales, 1)
    done = usecases.claim(sales, [1], by="mei")
    assert (done.done, done.protected_until) == ((1,), datetime(2026, 5, 14, 9))
    assert states(sales) == {1: ("held", "mei")}
    assert refusals(sales, 1, by="mei") == {1: "mei has it already"}
    assert refusals(sales, 1, by="ken") == {1: "protected by mei until 2026-05-14 09:00"}
    later(sales, days=10)
    assert usecases.claim(sales, [1], by="ken").done == (1,)
    with sales.query() as query:
        found = query.rows("select rep_id, previous_rep_id, strategy from assignments a order by a.at")
    assert found == [("mei", None, "claim"), ("ken", "mei", "claim")]


def test_the_holding_cap_counts_protected_leads_only(sales: Session) -> None:
    leads(sales, *range(1, 7))
    done = usecases.claim(sales, [1, 2, 3, 4], by="mei")
    assert done.done == (1, 2, 3)
    assert [r.reason for r in done.refused] == ["mei protects 0 of 3 leads"]
    assert refusals(sales, 5, by="mei") == {5: "mei protects 3 of 3 leads"}
    later(sales, days=11)
    assert usecases.claim(sales, [5], by="mei").done == (5,)


def test_claims_do_not_pass_the_capacity(sales: Session) -> None:
    usecases.change(sales, "mei", {"capacity": "1"})
    leads(sales, 1, 2)
    assert usecases.claim(sales, [1, 2], by="mei").done == (1,)
    assert refusals(sales, 2, by="mei") == {2: "mei has 1 of 1 open leads"}


def test_an_idle_lead_goes_back_and_a_follow_up_keeps_it(sales: Session) -> None:
    leads(sales, 1, 2, company="Acme")
    usecases.claim(sales, [1, 2], by="mei")
    later(sales, days=3)
    touch(sales, 1, "outbound")
    touch(sales, 2, "inbound")
    due = {r["lead_id"]: r["why"] for r in usecases.due(sales, within="2 days").to_pylist()}
    assert due == {2: "no follow-up for 4 days"}
    assert usecases.recycle(sales).returned == ()
    later(sales, days=1)
    done = usecases.recycle(sales)
    assert [(r.lead_id, r.holder, r.cause) for r in done.returned] == [(2, "mei", "no follow-up for 4 days")]
    assert states(sales)[2] == ("pool", None)
    again = usecases.recycle(sales)
    assert (again.returned, again.asleep, again.settled, again.commit) == ((), (), 0, None)


def test_a_lead_that_is_not_converted_by_the_deadline_goes_back(sales: Session) -> None:
    leads(sales, 1)
    usecases.claim(sales, [1], by="mei")
    for _ in range(6):
        later(sales, days=3)
        touch(sales, 1, "outbound")
    assert usecases.recycle(sales).returned == ()
    later(sales, days=2)
    assert [r.cause for r in usecases.recycle(sales).returned] == ["not converted within 20 days"]


def test_who_lost_a_lead_waits_by_its_kind_and_others_do_not(sales: Session) -> None:
    leads(sales, 1)
    leads(sales, 2, company="Acme")
    usecases.claim(sales, [1, 2], by="mei")
    usecases.release(sales, [1, 2], by="mei", reason="not my trade")
    later(sales, minutes=59)
    said = "mei had it and may not claim it before 2026-05-04"
    assert refusals(sales, 1, 2, by="mei") == {1: f"{said} 10:00", 2: f"{said} 21:00"}
    later(sales, minutes=1)
    assert refusals(sales, 1, 2, by="mei") == {2: f"{said} 21:00"}
    assert usecases.claim(sales, [2], by="ken").done == (2,)
    usecases.release(sales, [2])
    assert usecases.claim(sales, [2], by="mei").done == (2,)


SAME = {
    "company": ({"company_key": "acme"}, {"company_key": "acme"}),
    "tax_id": ({"tax_id": "DE 12-3"}, {"tax_id": "de123"}),
    "email, phone": ({"email": "A@x.com", "phone": "+1"}, {"email": "a@x.com", "phone": "+1", "company_key": "x"}),
}


def test_another_lead_of_a_protected_customer_is_refused(sales: Session) -> None:
    for place, (one, other) in enumerate(SAME.values()):
        leads(sales, 10 + place, **one)
        leads(sales, 20 + place, **other)
    usecases.claim(sales, [10, 11, 12], by="mei")
    until = "protected by mei until 2026-05-14 09:00"
    assert refusals(sales, 20, 21, 22, by="ken") == {
        20 + place: f"the same {same} as lead:{10 + place}, {until}" for place, same in enumerate(SAME)
    }
    (found,) = usecases.collisions(sales, 22)
    assert (found.lead_id, found.holder, found.same) == (12, "mei", "email, phone")
    assert [c.lead_id for c in usecases.collisions(sales, 10)] == [10]
    later(sales, days=10)
    assert usecases.claim(sales, [20, 21, 22], by="ken").refused == ()


def test_a_customer_can_be_looked_up_as_people_write_it(sales: Session) -> None:
    leads(sales, 1, company_key="acme", phone="+886912345678", tax_id="04595257")
    usecases.claim(sales, [1], by="mei")
    for said in ({"company": "ACME Co., Ltd."}, {"phone": "+886 912-345-678"}, {"tax_id": "0459-5257"}):
        assert [c.lead_id for c in usecases.collisions(sales, keys=said)] == [1], said
    assert usecases.collisions(sales, keys={"company": "Acne"}) == ()


def test_what_nobody_claims_falls_asleep_and_wakes_when_it_stirs(sales: Session) -> None:
    leads(sales, 1, 2, 3)
    usecases.claim(sales, [1, 2, 3], by="mei")
    usecases.release(sales, [1, 2, 3])
    later(sales, days=29)
    touch(sales, 3, "inbound")
    later(sales, days=1)
    assert [r.lead_id for r in usecases.recycle(sales).asleep] == [1, 2]
    assert usecases.wake(sales).done == ()
    later(sales, days=1)
    touch(sales, 1, "inbound")
    assert usecases.wake(sales).done == (1,)
    done = usecases.wake(sales, [1, 2])
    assert (done.done, [r.reason for r in done.refused]) == ((2,), ["it is not asleep"])
    assert {s for s, _ in states(sales).values()} == {"pool"}
    assert usecases.claim(sales, [2], by="ken").done == (2,)


def test_the_pool_is_not_given_out_unless_it_is_asked_for(sales: Session) -> None:
    leads(sales, 1, 2)
    usecases.claim(sales, [1], by="mei")
    usecases.release(sales, [1])
    assert usecases.run(sales, stages=["mql"]).given == 1
    assert states(sales) == {1: ("pool", None), 2: ("held", "ken")}
    assert [r["why"] for r in usecases.unhandled(sales).to_pylist()] == ["in the public pool: released by boss"]
    assert usecases.run(sales, stages=["mql"], with_pool=True).given == 1
    assert usecases.unhandled(sales).num_rows == 0
    assert states(sales)[1] == ("held", "ken"), "it would be the turn of mei, who let it go"


def test_assignment_keeps_to_the_holding_cap(sales: Session) -> None:
    leads(sales, *range(1, 9))
    done = usecases.run(sales, stages=["mql"])
    assert (done.given, [w.reason for w in done.reasons]) == (
        6,
        ["all 2 active reps who may serve it are at the holding cap"],
    )


def test_leads_that_others_moved_are_set_right(sales: Session) -> None:
    leads(sales, 1, 2, 3)
    usecases.claim(sales, [1, 2, 3], by="mei")
    leads(sales, 1, status="converted", owner="mei")
    leads(sales, 2, owner="ken")
    with sales.write("leads") as tx:
        tx.delete("leads", pa.table({"lead_id": [3]}))
        tx.commit()
    assert usecases.recycle(sales).settled == 3
    assert states(sales) == {}
    held = usecases.list_pool(sales, states=["held"]).to_pylist()
    assert [(r["lead_id"], r["holder"]) for r in held] == [(2, "ken")]


def test_release_says_what_it_leaves_alone(sales: Session) -> None:
    leads(sales, 1, 2)
    leads(sales, 3, status="converted", owner="mei")
    usecases.claim(sales, [1], by="mei")
    done = usecases.release(sales, [1, 2, 3], by="ken")
    assert [(r.lead_id, r.reason) for r in done.refused] == [
        (1, "mei holds it"),
        (2, "nobody holds it"),
        (3, "it is converted"),
    ]
    assert done.commit is None


def test_a_dry_run_of_the_pool_writes_nothing(sales: Session, open_sales: Callable[..., Session]) -> None:
    leads(sales, 1, 2)
    usecases.claim(sales, [1], by="mei")
    later(sales, days=5)
    head = sales.workspace.head()
    assert usecases.claim(open_sales(dry_run=True), [2], by="ken").done == (2,)
    assert len(usecases.recycle(open_sales(dry_run=True)).returned) == 1
    assert usecases.release(open_sales(dry_run=True), [1]).done == (1,)
    assert sales.workspace.head() == head


def test_unknown_reps_and_leads_are_named(sales: Session) -> None:
    leads(sales, 1)
    with pytest.raises(NotFound, match="there is no rep 'mai'") as caught:
        usecases.claim(sales, [1], by="mai")
    assert caught.value.hint == "Did you mean 'mei'?"
    with pytest.raises(NotFound, match="there is no lead 9"):
        usecases.claim(sales, [9], by="mei")
    usecases.change(sales, "ken", {"active": "no"})
    with pytest.raises(PolicyError, match="ken is not active"):
        usecases.claim(sales, [1], by="ken")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('idle = "soon"', "pool.toml: file: idle: 'soon' is not a period"),
        ('idle = "0 days"', "idle: '0 days' is no time at all"),
        ("holding_cap = -1", "holding_cap: -1 is less than nothing"),
        ('protction = "1 day"', "protction: unknown key. Did you mean 'protection'?"),
        ('[[cool_downs]]\nwait = "1 hour"\nwhere = "compny is null"', "cool_downs[0].where"),
        ('[collision]\nkeys = ["mail"]', "'mail' is not one of company, tax_id, phone, email"),
    ],
)
def test_rules_that_cannot_be_name_file_and_key(read_only: Session, text: str, message: str) -> None:
    (read_only.folder / "pool.toml").write_text(f"schema = 1\n{text}\n")
    (found,) = usecases.check_pool(read_only)
    assert "pool.toml" in found
    assert message in found


def test_without_the_file_there_is_no_pool(session: Session) -> None:
    with pytest.raises(ConfigError, match=r"pool\.toml: no such file"):
        usecases.list_pool(session)
    assert usecases.check_pool(session) == ()


CLAIM = """
import sys
from datetime import datetime
from pathlib import Path
from sfactl.config.settings import Settings
from sfactl.reps import usecases
from sfactl.session import FixedClock, open_session
at = FixedClock(datetime(2026, 5, 4, 9))
with open_session(Path(sys.argv[1]), settings=Settings(), command="claim", actor=sys.argv[2], clock=at) as session:
    print("ready", flush=True)
    sys.stdin.readline()
    done = usecases.claim(session, range(1, 4))
    print(len(done.done), len(done.refused))
"""


def test_of_two_who_claim_at_the_same_time_one_gets_it(sales: Session) -> None:
    leads(sales, 1, 2, 3)
    root = str(Path(__file__).resolve().parents[2])
    started = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, str(sales.folder), rep],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": root},
        )
        for rep in ("mei", "ken")
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = sorted(process.communicate(timeout=60)[0].strip() for process in started)
    assert answers == ["0 3", "3 0"]
    assert len({h for _, h in states(sales).values()}) == 1
