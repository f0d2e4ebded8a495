"""Say whom a survey asks when, and ask those whose time has come: planned and sent as the campaign that it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sfactl.api.errors import PolicyError
from sfactl.campaigns import usecases as campaigns
from sfactl.campaigns.surveys import ASK
from sfactl.campaigns.usecases.applying import ApplyResult
from sfactl.campaigns.usecases.checking import check_sender
from sfactl.campaigns.usecases.plans import PlanResult, work_out
from sfactl.campaigns.usecases.scene import read_files
from sfactl.session import Session
from sfactl.surveys.usecases.looking import PACKAGE, known_survey

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleLine:
    """How many people are in a state; ``next_at`` is when the first of them comes out of it."""

    state: str
    reason: str
    people: int
    next_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Whom a survey would ask now, and whom when: ``people`` are rows, ``lines`` count all of them."""

    survey: str
    at: datetime
    lines: tuple[ScheduleLine, ...]
    people: pa.Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The plan that was made, and what came of it: nothing in a dry run, without an approval, or if nobody is due."""

    plan: PlanResult
    applied: ApplyResult | None
    dry_run: bool = False

    @property
    def waits(self) -> bool:
        """Whether somebody must approve it first."""
        return self.plan.needs_approval


def schedule(session: Session, name: str, *, days: int = 0) -> Schedule:
    """Who is due when, and why not; nobody is asked. With ``days`` only what comes so soon.

    Raises `NotFound`, `ConfigError`, and `DataError` where a message could not be written.
    """
    known_survey(session, name)
    files, at = read_files(session, name), session.as_of_time()
    check_sender(session, files)
    with session.query() as query:
        work_out(session, query, files, at)
        until = at + timedelta(days=days) if days else None
        params = {"at": at, "first": ASK, "until": until}
        people = query.table(query.statement(PACKAGE, "schedule"), params)
        query.register("scheduled", people)
        counted = query.rows(
            "select state, coalesce(reason, ''), count(*),"
            " min(due_at) filter (where state in ('wait', 'rests', 'later')) from scheduled group by 1, 2"
            " order by list_position(['send', 'wait', 'rests', 'later', 'hold', 'skip'], state), 3 desc, 2"
        )
    lines = tuple(ScheduleLine(state=s, reason=r, people=n, next_at=due) for s, r, n, due in counted)
    return Schedule(survey=name, at=at, lines=lines, people=people)


def send(session: Session, name: str, *, override: str = "") -> Sent:
    """Ask everybody whose time has come, through the gate of campaigns; what was asked is never asked twice.

    Raises what a plan and an apply of a campaign raise: `ConfigError`, `PolicyError`, `Conflict`, `TryLater`.
    """
    known_survey(session, name)
    made = campaigns.plan(session, name)
    if session.dry_run or made.needs_approval or not made.sends:
        return Sent(plan=made, applied=None, dry_run=session.dry_run)
    if made.obstacles and not override:
        raise PolicyError(f"nothing was sent: {made.obstacles[0]}")
    return Sent(plan=made, applied=campaigns.apply(session, made.plan_id, override=override))
