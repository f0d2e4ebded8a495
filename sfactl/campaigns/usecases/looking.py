"""Look at campaigns, their plans and their messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sfactl.api.errors import ConfigError
from sfactl.campaigns.files import campaign_names
from sfactl.campaigns.usecases.scene import (
    PlanRow,
    expires_at,
    find_plan,
    paused_by,
    plan_rows,
    read_files,
    scope_of,
)
from sfactl.campaigns.usecases.stopping import standstill
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignLine:
    """One campaign in a listing."""

    campaign: str
    state: str
    steps: int
    sent: int
    last_plan: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCount:
    """How many messages of a step are in a state."""

    step: str
    state: str
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnCount:
    """How many people did something in answer to a step, and how often."""

    step: str
    kind: str
    people: int
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoneCount:
    """How many people the newest plan did not reach at a step, and why; ``next_at`` is when the first may be."""

    step: str
    action: str
    reason: str
    people: int
    next_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusResult:
    """A campaign: its newest plans, its messages by step and state, what came back, and whom it did not reach."""

    campaign: str
    state: str
    plans: tuple[PlanRow, ...]
    messages: tuple[StepCount, ...]
    returns: tuple[ReturnCount, ...] = ()
    undone: tuple[UndoneCount, ...] = ()


def campaigns(session: Session) -> tuple[CampaignLine, ...]:
    """All campaigns of the workspace."""
    with session.query() as query:
        sent = dict(query.rows("select campaign, count(*) from messages where state = 'accepted' group by campaign"))
        last = dict(
            query.rows("select campaign, max_by(left(plan_id, 6) || ' ' || state, planned_at) from plans group by 1")
        )
    lines = []
    for name in campaign_names(session.folder):
        try:
            campaign = read_files(session, name).campaign
            state, steps, summary = state_of(session, name), len(campaign.steps), campaign.summary
        except ConfigError as err:
            state, steps, summary = "broken", 0, err.message
        lines.append(
            CampaignLine(
                campaign=name,
                state=state,
                steps=steps,
                sent=sent.get(name, 0),
                last_plan=last.get(name, ""),
                summary=summary,
            )
        )
    return tuple(lines)


def status(session: Session, name: str) -> StatusResult:
    """Plans and messages of the campaign ``name``."""
    read_files(session, name)
    effects = session.ledger.rows(scope_of(name)) if session.as_of is None else []
    with session.query() as query:
        plans = plan_rows(query, "campaign = $campaign", {"campaign": name})[:10]
        counted = {
            (str(s), str(state)): int(n)
            for s, state, n in query.rows(
                "select step, state, count(*) from messages where campaign = $campaign group by step, state",
                {"campaign": name},
            )
        }
        returns = query.rows(query.statement("campaigns", "returns"), {"campaign": name})
        undone = query.rows(query.statement("campaigns", "undone"), {"plan": plans[0].plan_id}) if plans else []
    for row in effects:
        place = (str(row.meta.get("step", "")), "waiting to retry" if row.state == "planned" else row.state)
        counted[place] = counted.get(place, 0) + 1
    return StatusResult(
        campaign=name,
        state=state_of(session, name),
        plans=tuple(plans),
        messages=tuple(StepCount(step=s, state=state, messages=n) for (s, state), n in sorted(counted.items())),
        returns=tuple(ReturnCount(step=s, kind=k, people=p, times=n) for s, k, p, n in returns),
        undone=tuple(UndoneCount(step=s, action=a, reason=r, people=p, next_at=at) for s, a, r, p, at in undone),
    )


def items(session: Session, ref: str, *, action: str = "", limit: int = 0, sample: int = 0) -> pa.Table:
    """What the plan ``ref`` would do for each recipient; ``sample`` takes that many of each step and action."""
    with session.query() as query:
        row = find_plan(query, ref)
        sql = query.statement("campaigns", "items")
        params = {"plan": row.plan_id, "action": action, "sample": sample}
        return query.table(f"select * from ({sql}) {f'limit {int(limit)}' if limit else ''}", params)


def state_of(session: Session, name: str) -> str:
    """active, paused, ended, or stopped together with all others."""
    if found := standstill(session):
        return f"stopped by {found.by} with all sending"
    if by := paused_by(session, name):
        return f"paused by {by}"
    end = expires_at(session, read_files(session, name).campaign)
    return "ended" if end is not None and session.now() >= end else "active"
