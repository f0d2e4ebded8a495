"""What holds for every strategy: plans depend on content alone, and nobody gets what is not theirs."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from .conftest import FRIDAY, HEAD, Acme

FLOW = """
[entry]
again = "3 days"
[holdout]
percent = 20
[goal]
where = "has(orders)"
[exit]
where = "status = 'lost'"
after = "6 days"
[touch.window]
days = ["mon", "tue", "wed", "thu", "fri", "sat"]
hours = "06:00-22:00"
[[steps]]
name = "draw"
action = "split"
arms = [{ name = "a", share = 1, next = "offer" }, { name = "b", share = 2, next = "listen" }]
[[steps]]
name = "offer"
action = "touch"
template = "hello"
[[steps]]
name = "listen"
action = "wait"
until = "has(touchpoints) filter (where kind = 'email_click' and within('3 days'))"
for = "2 days"
otherwise = "late"
[[steps]]
name = "call"
action = "task"
task = { title = "Call" }
[[steps]]
name = "told"
action = "branch"
where = "employees > 50"
then = "boss"
otherwise = "late"
[[steps]]
name = "boss"
action = "approval"
task = { title = "May we?" }
otherwise = "late"
[[steps]]
name = "late"
action = "task"
task = { kind = "work_order", title = "Write down why" }
"""
NEVER = "schema = 1\nwhere = \"company = 'Rival'\"\n"
WITH_NEVER = HEAD.replace("owner", 'blacklist = "never"\nowner')


def people(count: int) -> list[dict[str, Any]]:
    dice = random.Random(7)
    return [
        {
            "lead_id": n,
            "status": dice.choice(["new", "new", "new", "lost"]),
            "email": dice.choice([f"u{n}@example.com", None, "shared@example.com"]),
            "first_name": f"N{n}",
            "country": dice.choice(["TW", "US", None]),
            "company": dice.choice(["Rival", "Ok", None]),
            "employees": dice.choice([10, 100, None]),
        }
        for n in range(1, count + 1)
    ]


def clicks(count: int) -> list[dict[str, Any]]:
    return [
        {"event_id": f"e{n}", "at": FRIDAY - timedelta(hours=n), "kind": "email_click", "lead_id": n}
        for n in range(1, count + 1, 3)
    ]


def world(folder: Path, *, seed: int) -> Acme:
    """The same content, whatever the order of rows and commits."""
    made = Acme(folder)
    made.write("segments/never.toml", NEVER)
    made.strategy(FLOW, head=WITH_NEVER)
    rows, events = people(60), clicks(60)
    dice = random.Random(seed)
    dice.shuffle(rows)
    dice.shuffle(events)
    cut = dice.randrange(1, 59)
    if seed % 2:
        made.rows("touchpoints", *events)
        made.rows("leads", {"lead_id": 61, "status": "lost"})
    made.rows("leads", *rows[:cut])
    made.rows("leads", *rows[cut:])
    if not seed % 2:
        made.rows("touchpoints", *events[::-1])
        made.rows("leads", {"lead_id": 61, "status": "lost"})
    for n, step in ((2, "listen"), (5, "offer")):
        made.enrol(n, step, FRIDAY - timedelta(days=3))
    return made


def test_a_plan_depends_on_content_alone(tmp_path: Path) -> None:
    ids, items = set(), set()
    for seed in range(2):
        acme = world(tmp_path / f"place-{seed}" / "acme", seed=seed)
        ids.add(acme.plan().plan_id)
        columns = "lead_id, step, step_no, action, reason, due_at, channel, recipient, owner, inputs, rotation, to_step"
        items.add(str(acme.select(f"select {columns} from plan_items order by lead_id, rotation, step_no")))
    assert len(ids) == 1
    assert len(items) == 1


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Acme, list[list[tuple[Any, ...]]]]:
    """Eight days in a world in which clicks, orders and words of the boss come as they may."""
    acme = world(tmp_path_factory.mktemp("lived") / "acme", seed=1)
    dice = random.Random(3)
    seen = []
    for day in range(8):
        acme.run(days=1)
        at = acme.clock.now()
        who = dice.sample(range(1, 61), 6)
        kind = "email_click"
        acme.rows("touchpoints", *({"event_id": f"d{day}.{n}", "at": at, "kind": kind, "lead_id": n} for n in who))
        acme.rows("orders", {"order_id": day, "lead_id": who[0], "at": at, "status": "open", "amount": 5})
        open_tasks = acme.select("select * from tasks where kind = 'approval' and state = 'open' order by task_id")
        if open_tasks:
            names = [r[0] for r in acme.select("select column_name from (describe tasks)")]
            word = dict(zip(names, open_tasks[0], strict=True)) | {"state": "done", "done_at": at}
            acme.rows("tasks", word | {"result": dice.choice(["approved", "refused"])})
        seen.append(acme.select("select lead_id, count(*) from enrolments where left_at is null group by lead_id"))
    return acme, seen


def test_each_customer_is_at_one_step(lived: tuple[Acme, list[list[tuple[Any, ...]]]]) -> None:
    acme, seen = lived
    assert all(count == 1 for day in seen for _, count in day)
    assert acme.select(
        "select count(*) from enrolments where state = 'active' and (step is null or left_at is not null)"
    )[0] == (0,)


def test_the_control_group_and_the_blacklisted_get_nothing(lived: tuple[Acme, list[list[tuple[Any, ...]]]]) -> None:
    acme, _ = lived
    touched = "(select lead_id, rotation_of from (select lead_id, regexp_extract(task_id, '[0-9]+$') as rotation_of from tasks"
    touched += " union all select lead_id, regexp_extract(message_key, '[0-9]+$') from messages))"
    held = (
        f"select count(*) from {touched} t join enrolments e on e.lead_id = t.lead_id and cast(e.rotation as varchar) ="
    )
    assert acme.select(f"{held} t.rotation_of and e.state = 'control'") == [(0,)]
    assert acme.select(f"select count(*) from {touched} t join leads l using (lead_id) where l.company = 'Rival'") == [
        (0,)
    ]
    assert acme.select("select count(*) > 0 from enrolments where state = 'control'") == [(True,)]


def test_nothing_happens_twice_and_something_happened(lived: tuple[Acme, list[list[tuple[Any, ...]]]]) -> None:
    acme, _ = lived
    assert acme.select("select count(*) - count(distinct task_id) from tasks") == [(0,)]
    twice = "select count(*) from (select lead_id, step, task_id from tasks group by all having count(*) > 1)"
    assert acme.select(twice) == [(0,)]
    assert len(acme.outbox()) == acme.select("select count(*) from messages where state = 'accepted'")[0][0]
    ended = {r[0] for r in acme.select("select distinct state from enrolments")}
    assert ended >= {"control", "goal", "exit", "finished"}
    assert acme.select("select max(rotation) > 1 from enrolments") == [(True,)]


def test_the_log_tells_every_step_in_order(lived: tuple[Acme, list[list[tuple[Any, ...]]]]) -> None:
    acme, _ = lived
    backwards = (
        'select count(*) from (select step_no, lag(step_no) over (partition by lead_id, rotation order by "at", step_no)'
        " as before from enrolment_events) where before > step_no"
    )
    assert acme.select(backwards) == [(0,)]
    assert acme.select("select count(*) - count(distinct event_id) from enrolment_events") == [(0,)]
