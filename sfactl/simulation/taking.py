"""Take what a run decided into the simulation: what was sent and made, who moved, and when to look at each again.

Decides nothing about the strategy; nothing leaves the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.engine.duck import Query
from sfactl.engine.periods import parse_period
from sfactl.simulation.rows import keep_sent
from sfactl.simulation.ticks import Tick
from sfactl.simulation.world import LOOKED
from sfactl.strategies.book import Book

if TYPE_CHECKING:
    import pyarrow as pa

PACKAGE = "simulation"
REBUILD = 2
"""Deleted rows stay in a table until it is made anew: when there are so many times more of them than living ones."""
PATH = """create or replace temp table sim_path ("at" timestamp, step varchar, action varchar, reason varchar,
    to_step varchar, due_at timestamp, recipient varchar, owner varchar, rotation bigint)"""
COUNTS = """create or replace temp table sim_counts ("at" timestamp, step varchar, action varchar, reason varchar,
    to_step varchar, is_fresh boolean, leads bigint, is_settled boolean)"""


@dataclass(slots=True, kw_only=True)
class Taker:
    """Keeps the tables of one simulation up to date, run by run.

    ``answer`` is what approvals get that nobody answered in reality; empty leaves them open. ``contact`` is the lead
    whose path is kept.
    """

    query: Query
    name: str
    answer: str
    contact: int | None = None
    _deleted: int = 0

    def begin(self) -> None:
        """Make the tables that the runs fill."""
        run = self.query.run
        run(COUNTS)
        run(PATH)
        run("create or replace temp table sim_capped (lead_id bigint, rotation bigint, step varchar)")
        run("create or replace temp table sim_held (message_key varchar)")

    def take(self, tick: Tick, then: datetime, book: Book, *, everybody: bool) -> None:
        """Take in the tables walked and moves that a walk at ``tick`` left behind."""
        params: dict[str, Any] = {
            "at": tick.at,
            "then": then,
            "plan": tick.plan_id,
            "now": tick.done_at or tick.at,
            "strategy": self.name,
            "answer": self.answer,
        }
        self.query.register("sim_steps", steps_table(book))
        if tick.plan_id:
            self._make("sim_held", "held", params)
        self._make("sim_new_sent", "sending", params)
        keep_sent(self.query)
        self._insert("sim_tasks", "making", params)
        self._make("sim_settled", "settling", params)
        self._insert("sim_counts", "counted", params)
        self._take_moves(params)
        self._take_due(params)
        if book.file.strategy.entry.limit:
            self._take_door(everybody=everybody)
        if self.contact is not None:
            self._insert("sim_path", "path", params | {"contact": self.contact})
        self._insert("sim_capped", "capped", params)

    def _take_moves(self, params: dict[str, Any]) -> None:
        self._make("sim_changed", "changing", params)
        row = self.query.one("select count(*) from sim_changed")
        self._deleted += int(row[0]) if row else 0
        living = self.query.one("select count(*) from sim_enrolments")
        where = "not exists (select 1 from sim_changed c where c.lead_id = e.lead_id and c.rotation = e.rotation)"
        if living and self._deleted > REBUILD * int(living[0]):
            self.query.run(f"create or replace temp table sim_kept as select e.* from sim_enrolments e where {where}")
            self.query.run("create or replace temp table sim_enrolments as select * from sim_kept")
            self.query.run("drop table sim_kept")
            self._deleted = 0
        else:
            self.query.run(
                "delete from sim_enrolments e using sim_changed c"
                " where c.lead_id = e.lead_id and c.rotation = e.rotation"
            )
        self.query.run("insert into sim_enrolments by name select * from sim_changed")

    def _take_due(self, params: dict[str, Any]) -> None:
        kept = "lead_id not in (select lead_id from walked)"
        due = f"select lead_id, due_at from ({self.query.statement(PACKAGE, 'due')}) where due_at is not null"
        self.query.run(f"create temp table sim_next as select * from sim_due where {kept} union all {due}", params)
        self.query.run("drop table sim_due")
        self.query.run("alter table sim_next rename to sim_due")

    def _take_door(self, *, everybody: bool) -> None:
        """Remember who may enter and was too many: first come those with the lowest numbers."""
        kept = "select * from sim_door where " + (
            "false" if everybody else f"lead_id not in (select lead_id from {LOOKED})"
        )
        waiting = self.query.statement(PACKAGE, "door")
        self.query.run(f"create or replace temp table sim_waiting as {kept} union all {waiting}")
        self.query.run("create or replace temp table sim_door as select * from sim_waiting")

    def _make(self, table: str, statement: str, params: dict[str, Any]) -> None:
        self.query.run(f"create or replace temp table {table} as {self.query.statement(PACKAGE, statement)}", params)

    def _insert(self, table: str, statement: str, params: dict[str, Any]) -> None:
        self.query.run(f"insert into {table} by name {self.query.statement(PACKAGE, statement)}", params)


def steps_table(book: Book) -> pa.Table:
    """The steps of every version of ``book``: what they are, how long a plain wait lasts, and what tasks say."""
    import pyarrow as pa

    rows: list[dict[str, Any]] = []
    for file in book.versions:
        for step in file.strategy.steps:
            lasts = parse_period(step.lasts or "0 days")
            task = step.task
            rows.append(
                {
                    "version": file.version,
                    "step": step.name,
                    "action": step.action,
                    "is_plain_wait": step.action == "wait" and not step.until,
                    "due_s": parse_period(task.due).seconds if task else 0,
                    "months": lasts.months,
                    "seconds": lasts.seconds,
                    "kind": "approval" if step.action == "approval" else task.kind if task else None,
                    "title": task.title if task else None,
                    "type": (task.type or None) if task else None,
                    "content": (task.content or None) if task else None,
                }
            )
    return pa.Table.from_pylist(rows, _schema(["version", "step", "action", "kind", "title", "type", "content"]))


def _schema(texts: Sequence[str]) -> pa.Schema:
    import pyarrow as pa

    numbers = [("is_plain_wait", pa.bool_()), *((name, pa.int64()) for name in ("due_s", "months", "seconds"))]
    return pa.schema([*((name, pa.string()) for name in texts), *numbers])
