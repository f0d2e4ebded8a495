"""Write new owners: the lead, the event that says why, and where the lead stands towards the public pool."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sfactl.config.pool import PoolRules, read_pool
from sfactl.reps.pool import length

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace import Transaction

CHANGED = ("leads", "assignments", "lead_pool")
"""What `write_owners` writes; a use case names them when it opens its transaction."""


def write_owners(session: Session, tx: Transaction, *, into_pool: bool = False) -> None:
    """Write the owners of the temporary table ``given`` (lead_id, rep_id, rule, strategy, reason).

    A lead with a rep is held and protected as the pool's rules say; one without goes ``into_pool``, or to the queue.
    """
    query = tx.query
    rules = read_pool(session.folder)
    params = {"now": session.now(), "seq": query.seq}
    if rules is not None or query.one("select 1 from lead_pool limit 1"):
        protection = rules.period("protection") if rules else None
        until = protection.after(session.now()) if protection else None
        tx.upsert("lead_pool", query.statement("reps", "held_rows"), {**params, "protected_until": until})
        if into_pool:
            tx.upsert("lead_pool", query.statement("reps", "pooled_rows"), params)
        else:
            tx.delete(
                "lead_pool",
                "select p.lead_id from lead_pool as p join given as g on g.lead_id = p.lead_id where g.rep_id is null",
            )
    tx.upsert("leads", query.statement("reps", "owned_leads"), params)
    tx.append("assignments", query.statement("reps", "assignment_events"), params)


def holdings(query: Query, rules: PoolRules, now: datetime) -> None:
    """Make the temporary table ``holdings``: every open lead with its holder, protection and last follow-up."""
    protection = rules.period("protection")
    query.run(
        f"create or replace temp table holdings as {query.statement('reps', 'holdings')}",
        {"now": now, "protected": protection is not None, **length("p", protection)},
    )
