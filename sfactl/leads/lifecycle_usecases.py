"""Move leads between stages by hand, and count the stages."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sfactl.api.errors import UserError
from sfactl.leads import lifecycle, qualification
from sfactl.leads.lifecycle import Lifecycle, Moved, StageCount
from sfactl.leads.named_leads import find_leads

if TYPE_CHECKING:
    from sfactl.session import Session
    from sfactl.workspace import Transaction

CHANGED = ("leads", "stage_events")


def move(session: Session, refs: Sequence[str], *, to: str, reason: str | None = None) -> Moved:
    """Move leads by hand. Raises `PolicyError` naming the rule when one of them may not go there; then none moves."""
    if to == "converted":
        raise UserError("a lead is converted by a command of its own", hint="Run: sfactl lead convert REF")
    if to == "disqualified":
        _check_reason(session, reason)
    with session.write(*CHANGED) as tx:
        ids = find_leads(tx.query, refs)
        stages = tx.query.rows(
            "select lead_id, coalesce(status, 'new') from leads where list_contains($ids, lead_id) order by lead_id",
            {"ids": ids},
        )
        for lead_id, stage in stages:
            lifecycle.check_move(lead_id, stage, to)
        tx.query.run(
            "create temp table movers as select lead_id, coalesce(status, 'new') as from_stage, $to as to_stage,"
            " $cause as cause, $reason as reason from leads where list_contains($ids, lead_id)",
            {"to": to, "cause": session.command, "reason": reason, "ids": ids},
        )
        write_moves(session, tx)
        seq = tx.commit(to=to, leads=len(ids)).seq
    return Moved(leads=len(ids), to=to, dry_run=session.dry_run, commit=seq)


def write_moves(session: Session, tx: Transaction) -> None:
    """Write the leads of the temporary table ``movers`` in their new stages, and the moves."""
    params = {"now": session.now(), "actor": session.actor, "seq": tx.query.seq}
    tx.upsert("leads", tx.query.statement("leads", "lifecycle_leads"), params)
    tx.append("stage_events", tx.query.statement("leads", "lifecycle_events"), params)


def stages(session: Session) -> Lifecycle:
    """Leads by stage, and whether a replay of their history gives the same."""
    with session.query() as query:
        found = {s: (n, r) for s, n, r in query.rows(query.statement("leads", "lifecycle_replay"))}
        differing = query.rows(query.statement("leads", "lifecycle_differing"))
        order = [*lifecycle.MOVES, *sorted(set(found) - set(lifecycle.MOVES))]
        return Lifecycle(
            commit=query.seq,
            stages=tuple(StageCount(stage=s, leads=found[s][0], replayed=found[s][1]) for s in order if s in found),
            differing=tuple(row[0] for row in differing),
        )


def _check_reason(session: Session, reason: str | None) -> None:
    """A lead is dropped for a reason, and for one of those that the workspace lists, where it lists any."""
    said = (reason or "").strip()
    if not said:
        raise UserError("a lead is not dropped without a reason", hint="Add --reason TEXT.")
    if not (session.folder / qualification.FILE).exists():
        return
    allowed = qualification.read_rules(session.folder).disqualify.reasons
    if allowed and said not in allowed:
        near = difflib.get_close_matches(said, allowed, 1)
        raise UserError(
            f"{said!r} is no reason to drop a lead that {qualification.FILE} lists",
            hint=f"Did you mean {near[0]!r}?" if near else f"Reasons: {', '.join(allowed)}",
        )
