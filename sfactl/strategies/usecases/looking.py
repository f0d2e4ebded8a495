"""Look at strategies: which there are, what they say, who stands where, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from sfactl.api.errors import SfactlError
from sfactl.campaigns.usecases.scene import house_of
from sfactl.session import Session
from sfactl.strategies.drawing import Box, boxes, terms
from sfactl.strategies.files import check_strategy, read_strategy, strategy_names
from sfactl.strategies.usecases.plans import version_number
from sfactl.strategies.usecases.scene import (
    KIND,
    PlanRow,
    book_of,
    check_senders,
    find_plan,
    names_of,
    paused_by,
    plan_rows,
    scope_of,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyLine:
    """One strategy in a listing."""

    strategy: str
    state: str
    priority: int
    steps: int
    inside: int
    reached_goal: int
    last_plan: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to know about a strategy's file."""

    strategy: str
    severity: Literal["ok", "warning", "error"]
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A strategy drawn: what is said of it as a whole, and its steps with who stands there."""

    strategy: str
    summary: str
    state: str
    version: int
    owner: str
    schedule: str
    terms: tuple[tuple[str, str], ...]
    steps: tuple[Box, ...]
    inside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a strategy and how many leads follow it."""

    number: int
    version: str
    made_at: datetime | None
    made_by: str
    inside: int
    came: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How many leads stand at a step, in which version."""

    version: int
    step: str
    leads: int
    longest_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How many enrolments came to an end, or are in the control group, and of how many."""

    state: str
    leads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many of a group reached the goal: those treated, or the control group."""

    group: str
    leads: int
    reached: int

    @property
    def percent(self) -> float:
        """Share of the group, in percent."""
        return 100 * self.reached / self.leads if self.leads else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusResult:
    """A strategy: its plans, who stands where, what came of it, and the hand work it saved (``minutes`` an effect)."""

    strategy: str
    state: str
    plans: tuple[PlanRow, ...]
    places: tuple[Place, ...]
    outcomes: tuple[Outcome, ...]
    rates: tuple[Rate, ...]
    effects: int
    minutes: float


def strategies(session: Session) -> tuple[StrategyLine, ...]:
    """All strategies of the workspace."""
    with session.query() as query:
        inside = dict(query.rows("select strategy, count(*) from enrolments where left_at is null group by strategy"))
        goals = dict(query.rows("select strategy, count(*) from enrolments where state = 'goal' group by strategy"))
        newest = "max_by(left(plan_id, 6) || ' ' || state, planned_at)"
        last = dict(query.rows(f"select campaign, {newest} from plans where kind = '{KIND}' group by campaign"))
    lines = []
    for name in strategy_names(session.folder):
        try:
            strategy = read_strategy(session.folder, name).strategy
            state, steps = state_of(session, name), len(strategy.steps)
            summary, priority = strategy.summary, strategy.priority
        except SfactlError as err:
            state, steps, summary, priority = "broken", 0, err.message, 0
        lines.append(
            StrategyLine(
                strategy=name,
                state=state,
                priority=priority,
                steps=steps,
                inside=inside.get(name, 0),
                reached_goal=goals.get(name, 0),
                last_plan=last.get(name, ""),
                summary=summary,
            )
        )
    return tuple(lines)


def check(session: Session, names: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Look at strategy files and at all they refer to; by default all of them."""
    known = names_of(session)
    found: list[Finding] = []
    for name in names or strategy_names(session.folder):
        try:
            file = read_strategy(session.folder, name)
            check_strategy(file, known, now=session.as_of_time())
            check_senders(session, file, known)
            house_of(session).terms(file.strategy.touch.topic, where=f"{file.path}: touch")
        except SfactlError as err:
            found.append(Finding(strategy=name, severity="error", message=err.message))
            continue
        touch = file.strategy.touch
        warnings = []
        if file.strategy.of("touch") and touch.message_class == "marketing":
            if not touch.unsubscribe and not session.settings.collect.url:
                warnings.append("touch.unsubscribe: marketing mail without a way out is refused by large providers")
            if not touch.caps and not session.settings.touch.caps:
                warnings.append("touch.caps: nothing limits how many messages one person gets")
        found += [Finding(strategy=name, severity="warning", message=w) for w in warnings]
        if not warnings:
            steps = ", ".join(s.name for s in file.strategy.steps)
            found.append(Finding(strategy=name, severity="ok", message=f"steps {steps}"))
    return tuple(found)


def show(session: Session, name: str) -> Shown:
    """The strategy ``name`` with its steps and who stands at each."""
    with session.query() as query:
        book = book_of(session, query, name)
        standing = query.rows(
            "select step, count(*) from enrolments where strategy = $name and version = $version and left_at is null"
            " and state = 'active' group by step",
            {"name": name, "version": book.file.version},
        )
        number = version_number(query, book)
    strategy = book.file.strategy
    return Shown(
        strategy=name,
        summary=strategy.summary,
        state=state_of(session, name),
        version=number,
        owner=strategy.owner,
        schedule=strategy.schedule,
        terms=tuple(terms(strategy)),
        steps=boxes(strategy, dict(standing)),
        inside=sum(n for _, n in standing),
    )


def items(session: Session, ref: str, *, action: str = "", lead_id: int = 0, limit: int = 0) -> pa.Table:
    """What the plan ``ref`` decides about each lead."""
    with session.query() as query:
        row = find_plan(query, ref)
        sql = query.statement("strategies", "plan_items")
        params = {"plan": row.plan_id, "action": action, "lead": lead_id}
        return query.table(f"select * from ({sql}) {f'limit {int(limit)}' if limit else ''}", params)


def samples(session: Session, ref: str, *, sample: int, action: str = "") -> pa.Table:
    """Some leads of each step, action and reason of the plan ``ref``, the same ones each time."""
    with session.query() as query:
        row = find_plan(query, ref)
        params = {"plan": row.plan_id, "action": action, "sample": sample}
        return query.table(query.statement("strategies", "samples"), params)


def versions(session: Session, name: str) -> tuple[Version, ...]:
    """Every version that leads follow or followed, the newest first; the file's own comes first."""
    with session.query() as query:
        book = book_of(session, query, name)
        found = query.rows(
            "select v.number, v.version, v.made_at, v.made_by, count(e.lead_id) - count(e.left_at), count(e.lead_id)"
            " from strategy_versions v left join enrolments e on e.strategy = v.strategy and e.version = v.version"
            " where v.strategy = $name group by all order by 1 desc",
            {"name": name},
        )
        number = version_number(query, book)
    rows = [
        Version(number=n, version=v[:12], made_at=at, made_by=by, inside=inside, came=came)
        for n, v, at, by, inside, came in found
    ]
    if not any(r.number == number for r in rows):
        fresh = Version(number=number, version=book.file.version[:12], made_at=None, made_by="", inside=0, came=0)
        rows.insert(0, fresh)
    return tuple(rows)


def status(session: Session, name: str) -> StatusResult:
    """Plans of the strategy ``name``, who stands where, and what came of those who left."""
    strategy = read_strategy(session.folder, name).strategy
    with session.query() as query:
        plans = plan_rows(query, "campaign = $name and kind = $kind", {"name": name, "kind": KIND})[:5]
        places = query.rows(
            "select coalesce(v.number, 0), e.step, count(*), min(e.since) from enrolments e"
            " left join strategy_versions v on v.strategy = e.strategy and v.version = e.version"
            " where e.strategy = $name and e.left_at is null and e.state = 'active' group by all order by 1 desc, 2",
            {"name": name},
        )
        outcomes = query.rows(
            "select case when state = 'exit' then 'exit: ' || reason else state end, count(*) from enrolments"
            " where strategy = $name and (left_at is not null or state = 'control') group by all order by 2 desc, 1",
            {"name": name},
        )
        rates = _rates(query, name)
        effects = _effects(query, name)
    return StatusResult(
        strategy=name,
        state=state_of(session, name),
        plans=tuple(plans),
        places=tuple(Place(version=v, step=s, leads=n, longest_since=at) for v, s, n, at in places),
        outcomes=tuple(Outcome(state=s, leads=n) for s, n in outcomes),
        rates=rates,
        effects=effects,
        minutes=effects * strategy.minutes_saved,
    )


def state_of(session: Session, name: str) -> str:
    """Its state, and whether it is paused."""
    strategy = read_strategy(session.folder, name).strategy
    if by := paused_by(session, name):
        return f"paused by {by}"
    if session.ledger.counts(scope_of(name)).get("unknown"):
        return f"{strategy.state}, messages held"
    return strategy.state


def _rates(query: Query, name: str) -> tuple[Rate, ...]:
    found = query.rows(
        "select case when state = 'control' then 'control' else 'treated' end as grp, count(*),"
        " count(*) filter (where reason = 'goal') from enrolments where strategy = $name group by 1 order by 1 desc",
        {"name": name},
    )
    return tuple(Rate(group=g, leads=n, reached=r) for g, n, r in found)


def _effects(query: Query, name: str) -> int:
    made = "('made', 'asked', 'pushed', 'sent')"
    sql = f"select count(*) from enrolment_events where strategy = $name and what in {made}"
    (count,) = query.one(sql, {"name": name}) or (0,)
    return int(count)
