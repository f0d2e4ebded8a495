"""Write what a plan or a settling decided: enrolments, their log, tasks and pushes, all in the caller's one commit."""

from __future__ import annotations

from datetime import datetime, timedelta

from sfactl.engine.periods import parse_period
from sfactl.session import Session
from sfactl.strategies.book import Book
from sfactl.strategies.files import StrategyFile
from sfactl.strategies.model import Step
from sfactl.strategies.planning import PACKAGE
from sfactl.strategies.usecases.scene import PlanRow
from sfactl.strategies.walk import settle
from sfactl.workspace import Transaction

WRITTEN = ("plans", "enrolments", "strategy_versions", "tasks")
"""State datasets that a run writes."""


def load_plan(tx: Transaction, row: PlanRow) -> None:
    """Make the tables walked and moves from the stored plan."""
    query = tx.query
    query.run(
        "create or replace temp table walked as"
        " select lead_id, rotation, version, step, action, reason, to_step, since, owner, step_no from plan_items"
        " where plan_id = $plan",
        {"plan": row.plan_id},
    )
    query.run(f"create or replace temp table moves as {query.statement(PACKAGE, 'moves')}")


def write_moves(tx: Transaction, book: Book, *, plan_id: str, now: datetime) -> int:
    """Write the enrolments in moves and the log of walked; answers how many enrolments changed."""
    params = {"strategy": book.name, "now": now, "plan": plan_id}
    changed = tx.upsert("enrolments", tx.query.statement(PACKAGE, "enrolments"), params)
    tx.append("enrolment_events", tx.query.statement(PACKAGE, "events"), params)
    return changed


def write_version(tx: Transaction, file: StrategyFile, *, actor: str, now: datetime) -> None:
    """Keep the text of the version that leads enter now, so that they can finish it."""
    tx.upsert(
        "strategy_versions",
        "select $strategy as strategy, $version as version, coalesce(max(number), 0) + 1 as number, $text as text,"
        " $actor as made_by, cast($now as timestamp) as made_at from strategy_versions where strategy = $strategy"
        " having count(*) filter (where version = $version) = 0",
        {"strategy": file.name, "version": file.version, "text": file.text, "actor": actor, "now": now},
    )


def write_work(tx: Transaction, row: PlanRow, book: Book, *, now: datetime) -> int:
    """Make the tasks of the plan that are not there yet, and tell the feeds; answers how many tasks."""
    made = 0
    for file in book.versions:
        for step in file.strategy.steps:
            named = {"plan": row.plan_id, "strategy": book.name, "step": step.name, "version": file.version, "now": now}
            if step.task:
                made += tx.upsert("tasks", tx.query.statement(PACKAGE, "tasks"), named | _task(step, now))
            if step.action == "push" and row.pushes:
                since = parse_period(step.within).before(row.planned_at) if step.within else None
                told = {"feed": step.feed, "at": row.planned_at, "since": since}
                tx.append("feeds", tx.query.statement(PACKAGE, "pushes"), named | told)
    return made


def write_settled(session: Session, book: Book, plan_id: str) -> int:
    """Move on those whose touch or approval is over by now; answers how many. The caller holds the strategy's lease."""
    from sfactl.strategies.usecases.scene import ledger_effects

    with session.write("enrolments", reason=f"settle {book.name}") as tx:
        settle(tx.query, book, at=session.now(), effects=ledger_effects(session))
        if not tx.query.one("select 1 from moves limit 1"):
            return 0
        moved = write_moves(tx, book, plan_id=plan_id, now=session.now())
        tx.commit(strategy=book.name, moved=moved)
    return moved


def _task(step: Step, now: datetime) -> dict[str, object]:
    assert step.task is not None
    return {
        "kind": "approval" if step.action == "approval" else step.task.kind,
        "title": step.task.title,
        "type": step.task.type,
        "content": step.task.content,
        "due": now + timedelta(seconds=parse_period(step.task.due).seconds),
    }
