"""Set the next action of one lead against the rules, and take that back. Both are kept and counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfactl.api.errors import UserError
from sfactl.portrait import actions
from sfactl.portrait.actions import OVERRIDE
from sfactl.portrait.usecases.bearers import find
from sfactl.portrait.usecases.next_actions import check_named, choose, plan_tasks, write_changes

if TYPE_CHECKING:
    from sfactl.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Overridden:
    """An action that somebody set against the rule; ``rule`` is the one that would have decided."""

    lead_id: int
    action: str
    rule: str | None
    changed: bool
    dry_run: bool = False
    commit: int | None = None


def override(session: Session, ref: str, action: str, *, reason: str, due: str | None = None) -> Overridden:
    """Set the action of one lead against the rules. It stands until it is taken up or cleared, and is counted."""
    file = actions.read_actions(session.folder)
    actions.check_action(action, file)
    if not reason.strip():
        raise UserError("an override needs a reason", hint="Add --reason TEXT.")
    now = session.now()
    until = actions.due_at(due or file.default.due, now)
    with session.write("next_actions", "tasks") as tx:
        choose(session, tx.query, file, [ref], None)
        check_named(tx.query, [ref], file)
        lead_id, before, rule, said, would = tx.query.rows(
            "select lead_id, action, rule, reason, coalesce(overrides, rule) from choices"
        )[0]
        if rule == OVERRIDE and before == action and said == reason:
            return Overridden(lead_id=lead_id, action=action, rule=would, changed=False, dry_run=session.dry_run)
        tx.query.run(
            "create temp table fresh as select lead_id, owner, name, company, $action as action, 'override' as rule,"
            " $reason as reason, cast($due as timestamp) as due_at, cast($now as timestamp) as since,"
            " cast($actor as varchar) as actor, $would as overrides, 'overridden' as kind,"
            " 'next:' || lead_id || ':' || lpad(cast($seq as varchar), 12, '0') as event_id, false as with_task"
            " from choices",
            {
                "action": action,
                "reason": reason,
                "due": until,
                "now": now,
                "actor": session.actor,
                "would": would,
                "seq": tx.query.seq,
            },
        )
        tx.query.run("create temp table gone as select lead_id, action, rule, due_at from next_actions where false")
        plan_tasks(session, tx.query, create_tasks=False)
        write_changes(session, tx)
        commit = tx.commit(lead_id=lead_id, action=action).seq
    return Overridden(lead_id=lead_id, action=action, rule=would, changed=True, dry_run=session.dry_run, commit=commit)


def clear(session: Session, ref: str) -> Overridden:
    """Take back what somebody set for one lead; the rules decide again. Raises `UserError` where nobody did."""
    with session.write("next_actions", "tasks") as tx:
        ((_, lead_id),) = find(tx.query, [ref])
        row = tx.query.get("next_actions", lead_id)
        if row is None or row["rule"] != OVERRIDE:
            raise UserError(f"nobody set the next action of lead:{lead_id}", hint=f"See: sfactl lead next-action {ref}")
        tx.query.run("create temp table fresh as select *, '' as kind, '' as event_id from next_actions where false")
        tx.query.run(
            "create temp table gone as select lead_id, action, rule, due_at from next_actions where lead_id = $id",
            {"id": lead_id},
        )
        plan_tasks(session, tx.query, create_tasks=False)
        write_changes(session, tx)
        commit = tx.commit(lead_id=lead_id).seq
    return Overridden(
        lead_id=lead_id,
        action=row["action"],
        rule=row["overrides"],
        changed=True,
        dry_run=session.dry_run,
        commit=commit,
    )
