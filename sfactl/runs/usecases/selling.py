"""Do a campaign or a strategy: plan, and apply what needs nobody's approval. What needs one is left planned.

A plan that was begun, or has got its approval since, comes first; where it can no longer be applied exactly, the plan
that is made now takes its place.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from sfactl.api.errors import Conflict, PolicyError
from sfactl.campaigns import usecases as campaigns
from sfactl.runs.model import Done, Job, State
from sfactl.session import Session
from sfactl.strategies import usecases as strategies

Result = TypeVar("Result")
CAMPAIGN_COUNTS = ("accepted", "refused", "unknown", "left", "tasks")
STRATEGY_COUNTS = ("enters", "moves", *CAMPAIGN_COUNTS, "pushes")
SAID = {"enters": "entered", "moves": "moved", "pushes": "pushed"}


def campaign(session: Session, job: Job) -> Done:
    """Plan the campaign and apply the plan, unless it waits for an approval."""
    state, plan_id = _open_plan(session, job.object)
    if state == "partly" and (resumed := _tried(campaigns.resume, session, plan_id)) and resumed.stopped:
        return _applied(resumed, "campaign", CAMPAIGN_COUNTS)
    if state == "approved" and (applied := _tried(campaigns.apply, session, plan_id)):
        return _applied(applied, "campaign", CAMPAIGN_COUNTS)
    made = campaigns.plan(session, job.object)
    if made.obstacles:
        return Done(state="nothing", detail=made.obstacles[0], plan_id=made.plan_id)
    if not made.sends + made.tasks:
        return Done(state="nothing", plan_id=made.plan_id)
    if made.needs_approval:
        return _waiting(made.plan_id, _count(made.sends, "message"), made.sends + made.tasks, "campaign")
    return _applied(campaigns.apply(session, made.plan_id), "campaign", CAMPAIGN_COUNTS)


def strategy(session: Session, job: Job) -> Done:
    """Plan the strategy and apply the plan, unless it waits for an approval or is a draft."""
    state, plan_id = _open_plan(session, job.object)
    if state == "partly" and (resumed := _tried(strategies.resume, session, plan_id)) and resumed.stopped:
        return _applied(resumed, "strategy", STRATEGY_COUNTS)
    if state == "approved" and (applied := _tried(strategies.apply, session, plan_id)):
        return _applied(applied, "strategy", STRATEGY_COUNTS)
    made = strategies.plan(session, job.object)
    if made.obstacles:
        return Done(state="nothing", detail=made.obstacles[0], plan_id=made.plan_id)
    if not made.effects + made.moves:
        return Done(state="nothing", plan_id=made.plan_id)
    if made.needs_approval:
        return _waiting(made.plan_id, _count(made.effects, "effect"), made.effects, "strategy")
    return _applied(strategies.apply(session, made.plan_id), "strategy", STRATEGY_COUNTS)


def _open_plan(session: Session, name: str) -> tuple[str, str]:
    """State and id of the newest plan that was begun or approved, or two empty texts."""
    sql = (
        "select state, plan_id from plans where campaign = $name and state in ('partly', 'approved')"
        " order by planned_at desc, plan_id limit 1"
    )
    with session.query() as query:
        state, plan_id = query.one(sql, {"name": name}) or ("", "")
    return state, plan_id


def _tried(do: Callable[[Session, str], Result], session: Session, plan_id: str) -> Result | None:
    with suppress(Conflict, PolicyError):
        return do(session, plan_id)
    return None


def _waiting(plan_id: str, what: str, effects: int, group: str) -> Done:
    text = f"plan {plan_id[:6]} needs an approval ({what}): sfactl {group} approve {plan_id[:6]}"
    return Done(state="waiting", counts={"planned": effects}, detail=text, plan_id=plan_id)


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _applied(done: Any, group: str, names: tuple[str, ...]) -> Done:
    counts = {name: int(getattr(done, name)) for name in names}
    said = [done.stopped, *(f"{r.messages:,} {r.reason}" for r in (*done.blocked, *done.details))]
    if done.unknown:
        said.append("see: sfactl touch list --state unknown")
    if done.left:
        said.append(f"go on with: sfactl {group} resume {done.plan_id[:6]}")
    did = any(n for name, n in counts.items() if name not in ("refused", "unknown", "left"))
    state: State = "partly" if done.partly else "done" if did else "nothing"
    return Done(
        state=state,
        items=counts["accepted"] + counts["tasks"] + counts.get("pushes", 0),
        counts={SAID.get(name, name): n for name, n in counts.items() if n},
        detail=" · ".join(text for text in said if text),
        plan_id=done.plan_id,
    )
