"""What a strategy really did: its runs and what came of them, and whether a replay comes to the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sfactl.engine.duck import Query
from sfactl.session import Session
from sfactl.simulation.model import Replayed
from sfactl.simulation.rows import messages_sql, sent_sql
from sfactl.simulation.ticks import Tick
from sfactl.strategies.files import StrategyFile, parse_strategy
from sfactl.strategies.usecases.scene import KIND, scope_of

if TYPE_CHECKING:
    import pyarrow as pa

PACKAGE = "simulation"


def recorded_runs(session: Session, name: str, start: datetime, end: datetime) -> list[Tick]:
    """The plans that were applied, wholly or partly, for times in the period, in the order in which they were."""
    with session.query() as query:
        rows = query.rows(query.statement(PACKAGE, "runs"), {"name": name, "start": start, "end": end, "kind": KIND})
    return [Tick(at=at, done_at=done, plan_id=plan, seq=seq) for at, done, plan, seq in rows]


def load_record(session: Session, query: Query, name: str) -> None:
    """Make the tables of what was really sent, made and followed: sim_recorded, sim_done, sim_wordings."""
    query.turn_to(session.workspace.snapshot())
    query.register("sim_ledger", _ledger(session, name))
    for table, statement in (("sim_recorded", "recorded"), ("sim_done", "done"), ("sim_wordings", "wordings")):
        query.run(f"create or replace temp table {table} as {query.statement(PACKAGE, statement)}", {"name": name})


def recorded_file(query: Query, file: StrategyFile, plan_id: str) -> StrategyFile:
    """The wording that a recorded run let leads enter by; today's where the run let nobody in."""
    found = query.one("select version, text from sim_wordings where plan_id = $plan", {"plan": plan_id})
    if found is None:
        return file
    key, text = found
    strategy = parse_strategy(text, file.name, where=f"{file.path} (version {key[:6]})")
    return replace(file, strategy=strategy, version=key, text=text)


def replayed(session: Session, query: Query, name: str, start: datetime, ticks: Sequence[Tick]) -> tuple[Replayed, ...]:
    """How the simulated messages, tasks and enrolments agree with what was recorded right after the last run."""
    import pyarrow as pa

    query.turn_to(session.workspace.snapshot())
    after = query.one(query.statement(PACKAGE, "next_run"), {"name": name, "last": ticks[-1].at, "kind": KIND})
    if after is not None:
        query.turn_to(session.workspace.snapshot(int(after[0])))
    query.register("sim_plans", pa.table({"plan_id": pa.array([t.plan_id for t in ticks], pa.string())}))
    end = datetime.max.replace(microsecond=0)
    sent = messages_sql(name, f"{session.workspace.id[:12]}.{name}.", end, sent_sql())
    query.run(f"create or replace temp table sim_messages as {sent}")
    params = {"name": name, "start": start, "last": max(t.done_at or t.at for t in ticks)}
    found = []
    for what in ("messages", "tasks", "enrolments"):
        row = query.one(query.statement(PACKAGE, f"replayed_{what}"), params) or (0, 0, 0)
        recorded, simulated, same = map(int, row)
        found.append(Replayed(what=what, recorded=recorded, simulated=simulated, same=same))
    return tuple(found)


def _ledger(session: Session, name: str) -> pa.Table:
    """What the ledger holds of the strategy's messages: their outcome is not known yet."""
    import pyarrow as pa

    rows = [r for r in session.ledger.rows(scope_of(name)) if r.state in ("sending", "unknown")]
    return pa.table(
        {
            "message_key": pa.array([r.key for r in rows], pa.string()),
            "plan_id": pa.array([r.meta.get("plan_id") for r in rows], pa.string()),
            "state": pa.array(["unknown"] * len(rows), pa.string()),
            "at": pa.array([r.planned_at for r in rows], pa.timestamp("us")),
        }
    )
