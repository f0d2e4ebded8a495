"""Turn settled messages into touchpoints, and planned tasks into tasks; a repeat adds nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.usecases.scene import PlanRow
from sfactl.engine.periods import parse_period
from sfactl.session import Session
from sfactl.workspace import Transaction
from sfactl.workspace.ledger import handed_tasks, settled_messages


def fold(session: Session, scope: str) -> int:
    """Move settled messages of ``scope`` from the ledger into the data, with a touchpoint for each accepted one, and a
    task for each that was handed to a person: ledger and task change in one commit, so that it is made once.

    The caller holds the lease of ``scope``, so that nothing is settled meanwhile.
    """
    settled = settled_messages(session.workspace.manifest, scope)
    if not settled.num_rows:
        return 0
    handed = handed_tasks(session.workspace.manifest, scope)
    with session.write(*(("tasks",) if handed.num_rows else ()), reason=f"messages of {scope}") as tx:
        tx.query.register("settled", settled)
        if handed.num_rows:
            tx.query.register("handed", handed)
            tx.upsert("tasks", tx.query.statement("campaigns", "handed_tasks"))
        tx.append("touchpoints", tx.query.statement("campaigns", "touchpoints"), {"actor": session.actor})
        folded = tx.settle(scope)
        tx.commit(messages=folded)
    return folded


def make_tasks(tx: Transaction, row: PlanRow, files: CampaignFiles, *, now: datetime) -> int:
    """Make the tasks of a plan that are not there yet; answers how many."""
    made = 0
    for step in files.campaign.steps if row.tasks else ():
        if step.task:
            params = {
                "plan": row.plan_id,
                "step": step.name,
                "kind": step.task.kind,
                "title": step.task.title,
                "campaign": row.campaign,
                "now": now,
                "due": now + timedelta(seconds=parse_period(step.task.due).seconds),
            }
            made += tx.upsert("tasks", tx.query.statement("campaigns", "tasks"), params)
    return made
