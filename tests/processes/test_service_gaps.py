"""Gaps before and after a change are counted as plain code counts them, each period as of its own end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.api.errors import UserError
from sfactl.processes import usecases
from sfactl.processes.gaps import Counted, compared
from sfactl.session import Session
from tests.process_world import NOW, activity, told

CHANGE = datetime(2026, 4, 1)
ENDS = {"before": CHANGE, "after": CHANGE + timedelta(days=30)}


def test_tasks_and_processes(session: Session, folder: Path) -> None:
    draw = session.random("gaps")
    rows = []
    for number in range(120):
        due = CHANGE + timedelta(hours=draw.randrange(-800, 800))
        done = draw.choice([None, due + timedelta(hours=draw.randrange(-50, 900))])
        rows.append((str(number), due, done, draw.choice(["open", "done", "dropped"])))
    moment = pa.timestamp("us")
    with session.write("tasks") as tx:
        tx.upsert(
            "tasks",
            pa.table(
                {
                    "task_id": [r[0] for r in rows], "due_at": pa.array([r[1] for r in rows], moment),
                    "done_at": pa.array([r[2] for r in rows], moment), "state": [r[3] for r in rows],
                }
            ),
        )  # fmt: skip
        tx.commit()
    (folder / "processes/p.toml").write_text(
        "schema = 1\n" + activity("a", start=True, next=["b"]) + activity("b", end=True)
        + '[[deadlines]]\nfrom = "a"\nto = "b"\nwithin = "2 days"\n'
    )  # fmt: skip
    told(session, [("1", "a", CHANGE - timedelta(days=9)), ("1", "b", CHANGE - timedelta(days=5)),
                   ("2", "b", CHANGE + timedelta(days=1))])  # fmt: skip
    found = {(g.measure, g.what): g for g in usecases.service_gaps(session, CHANGE.date()).gaps}
    for period, end in ENDS.items():
        due = [r for r in rows if r[3] != "dropped" and end - timedelta(days=30) <= r[1] < end]
        late = [r for r in due if r[2] is not None and r[1] < r[2] < end]
        missed = [r for r in due if r[2] is None or r[2] >= end]
        for measure, rows_ in (("late", late), ("missed", missed)):
            gap = found[measure, "tasks"]
            assert (getattr(gap, period), getattr(gap, f"{period}_of")) == (len(rows_), len(due)), (measure, period)
    assert (found["late", "process p"].before, found["late", "process p"].before_of) == (1, 1)
    wrong = found["erroneous", "process p"]
    assert (wrong.before, wrong.before_of, wrong.after, wrong.after_of, wrong.change) == (0, 2, 1, 1, 1.0)
    assert found["late", "all"].before == found["late", "tasks"].before + 1


def test_rates_of_nothing_are_none() -> None:
    (both, one) = compared([Counted(period="after", what="runs", measure="erroneous", gaps=0, of=3)])
    assert (both.what, one.what) == ("all", "runs")
    assert (one.before_rate, one.after_rate, one.change, one.p) == (None, 0.0, None, None)


def test_a_change_must_have_had_time(opened: Callable[..., Session]) -> None:
    with pytest.raises(UserError, match="nothing has happened since then"):
        usecases.service_gaps(opened(), NOW.date() + timedelta(days=1))
    with pytest.raises(UserError, match="one day at least"):
        usecases.service_gaps(opened(), date(2026, 1, 1), days=0)
    assert usecases.service_gaps(opened(), NOW.date() - timedelta(days=2)).unfinished
