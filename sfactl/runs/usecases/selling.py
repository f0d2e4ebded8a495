"""Do a campaign or a strategy: plan, and apply what needs nobody's approval. What needs one is left planned.

A plan that was begun, or has got its approval since, comes first; where it can no longer be applied exactly, the plan
that is made now takes its place.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sfactl.api.errors import Conflict, PolicyError
from sfactl.campaigns import usecases as campaigns
from sfactl.runs.model import Done, Job, State
from sfactl.session import Session
from sfactl.strategies import usecases as strategies

Do = Callable[[Session, str], Any]
COUNTS = ("enters", "moves", "accepted", "refused", "unknown", "dead", "left", "tasks", "pushes")
SAID = {"enters": "entered", "moves": "moved", "pushes": "pushed", "dead": "tried out"}


def campaign(session: Session, job: Job) -> Done:
    """Plan the campaign and apply the plan, unless it waits for an approval."""
    before, ended = _begun(session, job.object, campaigns.resume, campaigns.apply, "campaign")
    if before is not None and ended:
        return before
    made = campaigns.plan(session, job.object)
    if made.obstacles:
        done = Done(state="nothing", detail=made.obstacles[0], plan_id=made.plan_id)
    elif not made.sends + made.tasks:
        done = Done(state="nothing", plan_id=made.plan_id)
    elif made.needs_approval:
        done = _waiting(made.plan_id, _count(made.sends, "message"), made.sends + made.tasks, "campaign")
    else:
        done = _applied(campaigns.apply(session, made.plan_id), "campaign")
    return _together(before, done)


def strategy(session: Session, job: Job) -> Done:
    """Plan the strategy and apply the plan, unless it waits for an approval or is a draft."""
    before, ended = _begun(session, job.object, strategies.resume, strategies.apply, "strategy")
    if before is not None and ended:
        return before
    made = strategies.plan(session, job.object)
    if made.obstacles:
        done = Done(state="nothing", detail=made.obstacles[0], plan_id=made.plan_id)
    elif not made.effects + made.moves:
        done = Done(state="nothing", plan_id=made.plan_id)
    elif made.needs_approval:
        done = _waiting(made.plan_id, _count(made.effects, "effect"), made.effects, "strategy")
    else:
        done = _applied(strategies.apply(session, made.plan_id), "strategy")
    return _together(before, done)


def _begun(session: Session, name: str, resume: Do, apply: Do, group: str) -> tuple[Done | None, bool]:
    """What came of the plan that was begun or approved, if there is one; and whether that is all for now."""
    state, plan_id = _open_plan(session, name)
    done = None if not state else _tried(resume if state == "partly" else apply, session, plan_id)
    if done is None:
        return None, False
    return _applied(done, group), state == "approved" or bool(done.stopped)


def _open_plan(session: Session, name: str) -> tuple[str, str]:
    """State and id of the newest plan that was begun or approved, or two empty texts."""
    sql = (
        "select state, plan_id from plans where campaign = $name and state in ('partly', 'approved')"
        " order by planned_at desc, plan_id limit 1"
    )
    with session.query() as query:
        state, plan_id = query.one(sql, {"name": name}) or ("", "")
    return state, plan_id


def _tried(do: Do, session: Session, plan_id: str) -> Any:
    with suppress(Conflict, PolicyError):
        return do(session, plan_id)
    return None


def _waiting(plan_id: str, what: str, effects: int, group: str) -> Done:
    text = f"plan {plan_id[:6]} needs an approval ({what}): sfactl {group} approve {plan_id[:6]}"
    return Done(state="waiting", counts={"planned": effects}, detail=text, plan_id=plan_id)


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _together(before: Done | None, done: Done) -> Done:
    """What was gone on with and what was done then, as one."""
    if before is None or before.state == "nothing":
        return done
    counts = {name: before.counts.get(name, 0) + done.counts.get(name, 0) for name in {**before.counts, **done.counts}}
    return replace(
        done,
        state=before.state if done.state == "nothing" else done.state,
        items=before.items + done.items,
        counts=counts,
        detail=" · ".join(text for text in (before.detail, done.detail) if text),
    )


def _applied(done: Any, group: str) -> Done:
    counts = {name: int(getattr(done, name, 0)) for name in COUNTS}
    said = [done.stopped, *(f"{r.messages:,} {r.reason}" for r in (*done.blocked, *done.details))]
    if done.unknown:
        said.append("see: sfactl touch list --state unknown")
    if done.left:
        said.append(f"go on with: sfactl {group} resume {done.plan_id[:6]}")
    did = any(n for name, n in counts.items() if name not in ("refused", "unknown", "dead", "left"))
    state: State = "partly" if done.partly else "done" if did else "nothing"
    return Done(
        state=state,
        items=counts["accepted"] + counts["tasks"] + counts["pushes"],
        counts={SAID.get(name, name): n for name, n in counts.items() if n},
        detail=" · ".join(text for text in said if text),
        plan_id=done.plan_id,
    )
