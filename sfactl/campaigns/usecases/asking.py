"""What a plan made now would decide about one person, and on what grounds; nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sfactl.campaigns.candidates import load_candidates
from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.planning import judge, load_refusals
from sfactl.campaigns.rounds import not_due
from sfactl.campaigns.usecases.looking import state_of
from sfactl.campaigns.usecases.scene import effects_of, load_audience, place_of, read_files
from sfactl.engine.conditions.explain import ask
from sfactl.engine.duck import Query
from sfactl.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One term of whom a campaign is for; ``holds`` None is unknown."""

    text: str
    holds: bool | None
    actual: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepVerdict:
    """What would happen at a step. ``due_at`` is when somebody who waits may be written to."""

    step: str
    action: str
    reason: str
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignVerdict:
    """What a campaign would do about one lead; the terms of its audience where the lead is not in it."""

    campaign: str
    state: str
    member: bool
    steps: tuple[StepVerdict, ...] = ()
    grounds: tuple[Ground, ...] = ()


def verdict(session: Session, query: Query, name: str, lead_id: int) -> CampaignVerdict:
    """What the campaign ``name`` would do about the lead now, each step with the reason. Raises `ConfigError`."""
    files = read_files(session, name)
    at = session.as_of_time()
    load_audience(session, query, files, at)
    state = state_of(session, name)
    if not query.one("select 1 from audience where lead_id = $lead", {"lead": lead_id}):
        grounds = _grounds(session, query, files, lead_id, at)
        return CampaignVerdict(campaign=name, state=state, member=False, grounds=grounds)
    # Those who share the address are judged with the lead: only one of them is written to.
    query.run(
        """create or replace temp table audience as
        select a.lead_id from audience a join leads l on l.lead_id = a.lead_id
        join leads o on o.lead_id = $lead
            and (o.lead_id = l.lead_id or lower(o.email) = lower(l.email) or o.phone = l.phone)""",
        {"lead": lead_id},
    )
    query.run("delete from wanted where lead_id not in (select lead_id from audience)")
    place = place_of(session)
    effects = effects_of(session.ledger.rows()) if session.as_of is None else effects_of(())
    load_candidates(query, files, place)
    load_refusals(query, files.campaign, place.house)
    judge(query, files, place, at=at, effects=effects)
    found = query.rows(
        "select step, action, coalesce(reason, ''), due_at from plan_rows where lead_id = $lead", {"lead": lead_id}
    )
    if files.campaign.occasion:
        first, (why, due_at) = files.campaign.steps[0].name, not_due(query, lead_id)
        found = [*found, *([] if any(f[0] == first for f in found) else [(first, "wait", why, due_at)])]
    judged = {step: StepVerdict(step=step, action=a, reason=r, due_at=due) for step, a, r, due in found}
    steps = tuple(judged.get(s.name) or _not_yet(s.name, s.after.step if s.after else "") for s in files.campaign.steps)
    return CampaignVerdict(campaign=name, state=state, member=True, steps=steps)


def _not_yet(step: str, after: str) -> StepVerdict:
    return StepVerdict(step=step, action="wait", reason=f"{after} comes first" if after else "")


def _grounds(session: Session, query: Query, files: CampaignFiles, lead_id: int, at: datetime) -> tuple[Ground, ...]:
    """The terms of the audience with the lead's values; a segment says itself why not."""
    campaign = files.campaign
    if not campaign.where:
        return (Ground(text=f"member of segment {campaign.segment}", holds=False),)
    where = f"{files.path}: where"
    question = ask(campaign.where, schemas=session.workspace.schemas, now=at, where=where)
    columns = [*(t.column for t in question.terms), *(t.value_column or t.column for t in question.terms)]
    row = query.one(f"select {', '.join(columns)} from ({question.sql})", {**question.params, "key": lead_id})
    if row is None:
        return ()
    half = len(question.terms)
    return tuple(
        Ground(text=t.text, holds=row[n], actual=_shown(row[half + n]) if t.value_column else "")
        for n, t in enumerate(question.terms)
    )


def _shown(value: Any) -> str:
    return "(empty)" if value is None else str(value)
