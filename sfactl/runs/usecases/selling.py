"""Do a campaign or a strategy: plan, and apply what needs nobody's approval. What needs one is left planned."""

from __future__ import annotations

from contextlib import suppress

from sfactl.api.errors import Conflict, PolicyError
from sfactl.campaigns.usecases.applying import ApplyResult
from sfactl.runs.model import Done, Job, State
from sfactl.session import Session


def campaign(session: Session, job: Job) -> Done:
    """Go on with a plan that was begun; then plan anew and apply it, unless it waits for an approval."""
    from sfactl.campaigns import usecases

    begun = next((p for p in usecases.status(session, job.object).plans if p.state == "partly"), None)
    if begun is not None:
        # Where its files or an approval stand in its way, the plan that is made now takes its place.
        with suppress(Conflict, PolicyError):
            resumed = usecases.resume(session, begun.plan_id)
            if resumed.stopped:
                return _applied(resumed, "campaign")
    made = usecases.plan(session, job.object)
    short, effects = made.plan_id[:6], made.sends + made.tasks
    if made.obstacles:
        return Done(state="nothing", detail=made.obstacles[0], plan_id=made.plan_id)
    if not effects:
        return Done(state="nothing", plan_id=made.plan_id)
    if made.needs_approval:
        text = f"plan {short}: {made.sends:,} messages need an approval: sfactl campaign approve {short}"
        return Done(state="waiting", counts={"planned": effects}, detail=text, plan_id=made.plan_id)
    return _applied(usecases.apply(session, made.plan_id), "campaign")


def _applied(done: ApplyResult, group: str) -> Done:
    counts = {name: getattr(done, name) for name in ("accepted", "refused", "unknown", "left", "tasks")}
    said = [f"{r.messages:,} {r.reason}" for r in (*done.blocked, *done.details)]
    if done.unknown:
        said.append("see: sfactl touch list --state unknown")
    if done.left:
        said.append(f"go on with: sfactl {group} resume {done.plan_id[:6]}")
    state: State = "partly" if done.partly else "done" if done.accepted + done.tasks else "nothing"
    return Done(
        state=state,
        items=done.accepted + done.tasks,
        counts={name: n for name, n in counts.items() if n},
        detail=" · ".join(text for text in (done.stopped, *said) if text),
        plan_id=done.plan_id,
    )


def strategy(session: Session, job: Job) -> Done:
    """Plan the strategy and apply the plan, unless it waits for an approval or is a draft."""
    raise NotImplementedError(job.object)
