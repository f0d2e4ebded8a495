"""Run a strategy in a made-up world, as a plan and its apply would: walk, write what was decided, settle what was sent.

The walk and everything that is written come from the strategies themselves; only the sending is made up: every message
is accepted at once, but for steps that a test says are refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from sfactl.campaigns.planning import effects_table
from sfactl.engine.conditions.entity import time_column
from sfactl.proofs.model import Row
from sfactl.proofs.world import table
from sfactl.schemas import Schemas
from sfactl.strategies.book import Book
from sfactl.strategies.usecases.recording import write_moves, write_work
from sfactl.strategies.usecases.scene import PLAN_COLUMNS, PlanRow
from sfactl.strategies.walk import settle, walk

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.workspace import Transaction

WRITTEN = ("enrolments", "enrolment_events", "messages", "touchpoints", "tasks", "feeds")
"""Datasets that a run writes."""
OWN = (*WRITTEN, "plan_items")
"""Names that a run makes tables of."""
PLAN = "test"
WORK = {"task", "approval", "push"}
"""What a run leaves to people and to other departments."""


class MadeUpRun:
    """The runs of one strategy in one world. ``rows`` are all that its datasets ever hold beside what it writes.

    A row with a time is there from that time on: before, nobody can know of it.
    """

    def __init__(self, query: Query, schemas: Schemas, rows: Mapping[str, Sequence[Row]]) -> None:
        self.query = query
        self._schemas = schemas
        self._until = datetime.min
        self._times = {name: time_column(schemas[name]) for name in {*WRITTEN, *arriving(rows, schemas)}}
        self._given = {name: [row.get(time or "") for row in rows.get(name, ())] for name, time in self._times.items()}
        for name in self._times:
            query.register(f"given_{name}", table(rows.get(name, ()), schemas, name))
            query.run(f"create or replace temp table {name} as select * from given_{name} where false")

    def once(self, book: Book, at: datetime, leads: Sequence[int], refused: Collection[tuple[int, str]]) -> pa.Table:
        """Plan and apply for ``leads`` at ``at``; answers what was decided, as rows of ``walked``."""
        query = self.query
        self._arrive(at)
        query.register("given_leads", _leads_table(leads))
        walk(query, book, at=at, look_at="given_leads", check_texts=False)
        walked = query.table("select * from walked order by lead_id, step_no")
        done = set(walked["action"].to_pylist())
        writes = cast("Transaction", _Writes(query, self._schemas))
        if done:
            write_moves(writes, book, plan_id=PLAN, now=at)
        if done & WORK:
            query.run(f"create or replace temp table plan_items as select '{PLAN}' as plan_id, * from walked")
            write_work(writes, _plan_row(at), book, now=at)
        if "send" in done:
            self._send(book, at, refused)
            settle(query, book, at=at, effects=effects_table(()))
            write_moves(writes, book, plan_id=PLAN, now=at)
        return walked

    def _arrive(self, at: datetime) -> None:
        """Let come what happened since the last run."""
        for name, column in self._times.items():
            first = self._until == datetime.min
            times = self._given[name]
            if not any(first if when is None else self._until < when <= at for when in times):
                continue
            when = f'"{column}"' if column else "cast(null as timestamp)"
            self.query.run(
                f"insert into {name} select * from given_{name} where {when} > $since and {when} <= $at"
                f" or ({when} is null and $first)",
                {"since": self._until, "at": at, "first": first},
            )
        self._until = at

    def decide(self, book: Book, at: datetime, leads: Sequence[int], result: str) -> None:
        """Give the word that open approvals of ``leads`` wait for."""
        self.query.register("given_leads", _leads_table(leads))
        self.query.run(
            "update tasks set state = 'done', done_at = $at, result = $result where campaign = $strategy"
            " and kind = 'approval' and state = 'open' and lead_id in (select lead_id from given_leads)",
            {"at": at, "result": result, "strategy": book.name},
        )

    def standing(self, book: Book) -> dict[int, tuple[str | None, str | None, str | None]]:
        """Where each lead is: step, state and reason of its last way through the strategy."""
        rows = self.query.rows(
            "select lead_id, step, state, reason from enrolments where strategy = $strategy"
            " qualify row_number() over (partition by lead_id order by rotation desc) = 1",
            {"strategy": book.name},
        )
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    def _send(self, book: Book, at: datetime, refused: Collection[tuple[int, str]]) -> None:
        query = self.query
        query.register("given_refused", _refused_table(refused))
        query.run(
            f"create or replace temp table settled as {query.statement('proofs', 'settled')}",
            {"plan": PLAN, "strategy": book.name, "at": at},
        )
        query.run("insert into messages by name select * from settled")
        sent = query.statement("campaigns", "touchpoints")
        query.run(f"insert into touchpoints by name {sent}", {"actor": "test"})


def arriving(rows: Mapping[str, Sequence[Row]], schemas: Schemas) -> list[str]:
    """The datasets whose rows come at a time of their own; leads are there from the beginning."""
    return sorted(name for name in rows if name != "leads" and time_column(schemas[name]))


class _Writes:
    """Stands where a transaction stands: what it is given lands in the tables of the made-up world at once."""

    def __init__(self, query: Query, schemas: Schemas) -> None:
        self.query = query
        self._schemas = schemas

    def upsert(self, dataset: str, data: str, params: Mapping[str, Any] | None = None) -> int:
        """Replace rows of the same key, add the others."""
        made = self.query.run(f"create or replace temp table new_rows as {data}", params)
        if made:
            key = self._schemas[dataset].key
            same = " and ".join(f'{dataset}."{name}" = n."{name}"' for name in key)
            self.query.run(f"delete from {dataset} where exists (select 1 from new_rows n where {same})")
            self.query.run(f"insert into {dataset} by name select * from new_rows")
        return made

    def append(self, dataset: str, data: str, params: Mapping[str, Any] | None = None) -> int:
        """Add rows."""
        return self.query.run(f"insert into {dataset} by name {data}", params)


def _plan_row(at: datetime) -> PlanRow:
    """A plan of which only what `write_work` asks for is known."""
    empty: dict[str, Any] = dict.fromkeys(PLAN_COLUMNS)
    return PlanRow(**{**empty, "plan_id": PLAN, "planned_at": at, "pushes": 1})


def _leads_table(leads: Sequence[int]) -> pa.Table:
    import pyarrow as pa

    return pa.table({"lead_id": pa.array(list(leads), pa.int64())})


def _refused_table(refused: Collection[tuple[int, str]]) -> pa.Table:
    import pyarrow as pa

    leads, steps = zip(*sorted(refused), strict=True) if refused else ((), ())
    return pa.table({"lead_id": pa.array(leads, pa.int64()), "step": pa.array(steps, pa.string())})
