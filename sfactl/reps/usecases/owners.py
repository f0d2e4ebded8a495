"""Give single leads by hand, and explain why a lead has its owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sfactl.api.errors import PolicyError
from sfactl.reps.chances import asked, chances
from sfactl.reps.model import Assignment, OwnerExplained
from sfactl.reps.rules import OPEN
from sfactl.reps.usecases.rounds import dealt
from sfactl.reps.usecases.scene import Order, find_lead, find_rep, queue_of, scene_of, standings_of
from sfactl.reps.usecases.writing import CHANGED, write_owners

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

MANUAL = "manual"
BY_HAND = (MANUAL, "claim")
"""Ways in which no rule had a say."""


def give(session: Session, leads: Sequence[int], *, to: str | None, reason: str | None = None) -> Assignment:
    """Give leads to one rep by hand, or (None) back to the queue.

    Raises `PolicyError` for a rep who is not active or would be over capacity, or a lead that is no longer open.
    """
    with session.write(*CHANGED) as tx:
        rows = [find_lead(tx.query, n) for n in dict.fromkeys(leads)]
        for row in rows:
            if (row["status"] or "new") not in OPEN:
                raise PolicyError(f"lead:{row['lead_id']} is {row['status']}; only an open lead has an owner to change")
        moving = [row["lead_id"] for row in rows if row["owner"] != to]
        if to is not None:
            _check_room(session, tx.query, to, len(moving))
        told = reason or ("back to the queue" if to is None else f"given by {session.actor}")
        tx.query.run(
            "create temp table given as select lead_id, $to as rep_id, $told as reason, $strategy as strategy,"
            " cast(null as varchar) as rule from (select unnest($leads) as lead_id) as named",
            {"to": to, "told": told, "leads": moving, "strategy": MANUAL},
        )
        done = Assignment(
            plan_id="",
            strategy=MANUAL,
            queue=len(rows),
            given=len(moving),
            waiting=0,
            reps=(),
            reasons=(),
            dry_run=session.dry_run,
        )
        if not moving:
            return done
        write_owners(session, tx)
        return replace(done, commit=tx.commit(given=len(moving), to=to).seq)


def explain(session: Session, lead_id: int) -> OwnerExplained:
    """Why the lead has its owner, as things stood when it was assigned; for one without, what a run would do now.

    Names every rule and whether it is about the lead, and every rep and why not that one.
    """
    with session.query() as query:
        row = find_lead(query, lead_id)
        lead_id = row["lead_id"]
        last = query.one(query.statement("reps", "last_assignment"), {"lead_id": lead_id})
        told = OwnerExplained(
            lead_id=lead_id,
            name=row["full_name"] or row["company"] or row["email"],
            status=row["status"] or "new",
            owner=row["owner"],
            assigned_at=None,
            strategy=None,
            reason="the owner came with the lead, not by an assignment",
        )
        if row["owner"] is None:
            reason = _prospect(session, query, lead_id, told.status)
            return _with_chances(session, query, replace(told, reason=reason), None)
        if last is None or last[3] != row["owner"]:
            return told
    at, strategy, reason, _, rule, event_id = last
    told = replace(told, assigned_at=at, strategy=strategy, reason=reason, rule=rule)
    if strategy in BY_HAND:
        return told
    # The id of the event ends in the commit that the assignment was made from.
    with session.query(int(event_id.rpartition(":")[2])) as before:
        return _with_chances(session, before, told, at)


def _with_chances(session: Session, query: Query, told: OwnerExplained, at: datetime | None) -> OwnerExplained:
    scene = scene_of(session, query, Order(), at)
    query.run("create or replace temp table candidates as select $id as lead_id", {"id": told.lead_id})
    query.run("create or replace temp table barred as select 0::bigint as lead_id, '' as barred where false")
    found = queue_of(session, query, scene)
    if not found.cases:
        return told
    (case,) = found.cases
    if told.strategy == "sticky" and case.bound is None:
        # It followed another lead of its customer that was dealt in the same round.
        case = replace(case, bound=told.owner)
    return replace(
        told,
        rules=asked(case, scene.rules, scene.standings),
        chances=chances(case, scene.rules, scene.standings, told.rule),
        as_known_at=scene.now,
    )


def _prospect(session: Session, query: Query, lead_id: int, status: str) -> str:
    """What a run would do with a lead that has no owner."""
    _, done, scene = dealt(session, query, Order())
    for table, words in ((done.given, "rep_id"), (done.waiting, "reason")):
        query.register("dealt", table)
        found = query.one(f"select {words} from dealt where lead_id = $lead_id", {"lead_id": lead_id})
        if found is not None:
            return f"a run now would give it to {found[0]}" if words == "rep_id" else str(found[0])
    if status not in scene.stages:
        return f"it is {status}; only {', '.join(scene.stages)} leads are given out"
    return "it lies in the public pool; claim it with: sfactl lead pool claim"


def _check_room(session: Session, query: Query, rep_id: str, more: int) -> None:
    find_rep(query, rep_id)
    scene = scene_of(session, query, Order())
    standing = next(s for s in standings_of(session, query, scene.rules, scene.now) if s.rep.rep_id == rep_id)
    if not standing.rep.active:
        raise PolicyError(f"rep {rep_id} is not active", hint=f"Make it so with: sfactl rep set {rep_id} --active")
    free = standing.limits.get("at capacity")
    if free is not None and more > free:
        raise PolicyError(
            f"rep {rep_id} has {standing.open} of {standing.rep.capacity} open leads and cannot take {more} more",
            hint="Free some leads, raise the capacity, or choose another rep.",
        )
