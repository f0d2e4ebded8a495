"""Give the word that an approval step waits for. The customer goes on with the next run."""

from __future__ import annotations

from dataclasses import dataclass

from sfactl.api.errors import NotFound, PolicyError
from sfactl.approvals.actors import check_approver
from sfactl.leads.named_leads import find_leads
from sfactl.session import Session
from sfactl.strategies.files import read_strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideResult:
    """The word that was given."""

    strategy: str
    lead_id: int
    step: str
    task_id: str
    title: str
    result: str


def decide(session: Session, name: str, ref: str, *, approved: bool) -> DecideResult:
    """Approve or refuse what the strategy ``name`` asks about the lead ``ref``.

    Raises `NotFound` where nothing is asked, `PolicyError` where the word was given or is another's to give.
    """
    read_strategy(session.folder, name)
    with session.write("tasks", reason=f"decide on {ref} in {name}") as tx:
        [lead_id] = find_leads(tx.query, [ref])
        row = tx.query.one(
            "select task_id, step, title, state, result from tasks where campaign = $name and lead_id = $lead"
            " and kind = 'approval' order by state <> 'open', created_at desc limit 1",
            {"name": name, "lead": lead_id},
        )
        if row is None:
            raise NotFound(f"{name} asks nobody about lead {lead_id}", hint=f"See: sfactl strategy log {lead_id}")
        task_id, step, title, state, result = row
        if state != "open":
            raise PolicyError(f"the word on lead {lead_id} at step {step} was given already: {result or state}")
        check_approver(session, tx.query, "decision", 1)
        said = "approved" if approved else "refused"
        tx.upsert(
            "tasks",
            "select * replace ('done' as state, cast($now as timestamp) as done_at, $said as result) from tasks"
            " where task_id = $task",
            {"now": session.now(), "said": said, "task": task_id},
        )
        tx.commit(task=task_id, result=said)
    return DecideResult(strategy=name, lead_id=lead_id, step=step, task_id=task_id, title=title, result=said)
