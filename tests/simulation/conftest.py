"""A small workspace that lives: leads, events and a strategy that runs on a clock which stands still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.config.layers import load_settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.simulation.model import Simulation
from sfactl.simulation.usecases import Asked, simulate
from sfactl.strategies import usecases
from sfactl.workspace import Workspace

MONDAY = datetime(2026, 9, 7, 1, 0)
"""09:00 on a Monday in Taipei."""

STRATEGY = """schema = 1
summary = "Win back"
owner = "amy"
where = "status = 'new'"
[holdout]
percent = 10
[goal]
where = "has(touchpoints) filter (where kind = 'form_submit' and within('10 days'))"
[exit]
where = "status = 'disqualified'"
after = "20 days"
[entry]
again = "5 days"
limit = 12
[touch]
sender = "outbox"
from = "Acme <news@acme.example>"
[touch.window]
days = ["mon", "tue", "wed", "thu", "fri"]
hours = "08:00-18:00"
tz = "workspace"
[touch.caps]
messages = 1
within = "2 days"
[[steps]]
name = "offer"
action = "touch"
template = "hello"
[[steps]]
name = "breathe"
action = "wait"
for = "2 days"
[[steps]]
name = "clicked"
action = "branch"
where = "has(touchpoints) filter (where kind = 'email_click' and within('3 days'))"
then = "call"
otherwise = "remind"
[[steps]]
name = "remind"
action = "touch"
template = "hello"
[[steps]]
name = "listen"
action = "wait"
for = "4 days"
until = "has(touchpoints) filter (where kind = 'visit' and within('3 days'))"
otherwise = "end"
[[steps]]
name = "variant"
action = "split"
arms = [{ name = "a", share = 1, next = "call" }, { name = "b", share = 1, next = "boss" }]
[[steps]]
name = "call"
action = "task"
task = { title = "Call them" }
next = "end"
[[steps]]
name = "boss"
action = "approval"
task = { title = "May we?" }
[[steps]]
name = "last"
action = "touch"
template = "hello"
"""

TEMPLATE = """schema = 1
subject = "Hi {{ lead.first_name }}"
text = "Dear {{ lead.first_name }}"
"""


class Life:
    """The workspace of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FixedClock(MONDAY)
        for name in ("strategies", "templates", "senders", "segments"):
            (folder / name).mkdir(parents=True)
        self.write("sfactl.toml", 'schema = 1\n[workspace]\nname = "Acme"\ntime_zone = "Asia/Taipei"\n')
        self.write("senders/outbox.toml", 'schema = 1\nuse = "maildir"\n')
        self.write("templates/hello.toml", TEMPLATE)
        self.write("strategies/winback.toml", STRATEGY)
        Workspace.create(folder).close()

    def write(self, path: str, text: str) -> None:
        """Write one of the user's files."""
        (self.folder / path).write_text(text, encoding="utf-8")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open the workspace for one command."""
        settings = load_settings(self.folder, env=None, environ={}, no_plugins=())
        with open_session(
            self.folder, settings=settings, command="test", actor="mei", clock=self.clock, quiet=True
        ) as session:
            yield session

    def rows(self, dataset: str, *rows: dict[str, Any]) -> None:
        """Add rows to a dataset."""
        with self.session() as session, session.write(dataset) as tx:
            schema = session.workspace.schemas[dataset]
            table = pa.Table.from_pylist(list(rows), schema.arrow())
            (tx.upsert if schema.kind == "state" else tx.append)(dataset, table)
            tx.commit()

    def lead(self, number: int, **values: Any) -> dict[str, Any]:
        """A lead; what is not said has defaults. Two leads in nine share an address."""
        email = f"u{number - 1 if number % 9 == 0 else number}@example.com"
        said = {"lead_id": number, "status": "new", "email": email, "first_name": f"N{number}", "country": "TW"}
        return said | {"created_at": MONDAY, "first_contact_on": MONDAY.date()} | values

    def event(self, number: int, kind: str, lead: int, **values: Any) -> dict[str, Any]:
        """An event of now."""
        said = {"event_id": f"e{number}", "at": self.clock.now(), "kind": kind, "lead_id": lead, "channel": "web"}
        return said | values

    def run(self) -> None:
        """Plan and apply once."""
        with self.session() as session:
            plan = usecases.plan(session, "winback")
            usecases.apply(session, plan.plan_id)

    def select(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the datasets."""
        with self.session() as session, session.query() as query:
            return query.rows(sql)

    def simulate(self, **values: Any) -> Simulation:
        """Simulate the strategy."""
        said: dict[str, Any] = {"name": "winback", "start": "2026-09-07", "end": "2026-10-06"} | values
        with self.session() as session:
            return simulate(session, Asked(**said))


def lived(folder: Path) -> Life:
    """Thirty leads and sixteen days: a run each second day, visits, clicks, forms, an opt-out, approvals, leads that come and change."""
    life = Life(folder)
    life.rows("leads", *(life.lead(n) for n in range(1, 31)))
    for day in range(9):
        now = life.clock.now()
        events = [life.event(day * 10 + n, kind, (day * 7 + n * 5) % 34 + 1) for n, kind in enumerate(KINDS[day % 4])]
        life.rows("touchpoints", *events)
        if day == 2:
            life.rows("leads", *(life.lead(n, created_at=now, first_contact_on=now.date()) for n in range(31, 35)))
        if day == 4:
            life.rows(
                "leads", life.lead(3, status="disqualified"), life.lead(5, email=None), life.lead(8, email="x@y.z")
            )
        if day == 6:
            answer_approvals(life)
        life.clock.advance(timedelta(minutes=5))
        life.run()
        life.clock.at = now + timedelta(days=2)
    return life


KINDS = (("visit", "email_click"), ("visit", "form_submit"), ("unsubscribe",), ("email_click", "visit"))


def answer_approvals(life: Life) -> None:
    """Say yes to one approval that is asked for, and no to the next."""
    asked = life.select("select task_id from tasks where kind = 'approval' and state = 'open' order by task_id limit 2")
    for (task,), answer in zip(asked, ("approved", "refused"), strict=False):
        with life.session() as session, session.write("tasks") as tx:
            tx.upsert(
                "tasks",
                "select * replace ('done' as state, cast($now as timestamp) as done_at, $answer as result) from tasks"
                " where task_id = $task",
                {"task": task, "answer": answer, "now": life.clock.now()},
            )
            tx.commit()


@pytest.fixture(scope="session")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """A workspace in which a strategy ran for sixteen days; tests only read it."""
    return lived(tmp_path_factory.mktemp("life") / "ws")
