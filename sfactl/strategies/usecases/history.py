"""What a strategy did with one lead, and why it does something, or nothing, with it now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.engine.conditions.compile import segments_in
from sfactl.engine.conditions.explain import ask
from sfactl.engine.conditions.source import Source
from sfactl.leads.named_leads import find_leads
from sfactl.segments.files import as_conditions, with_used
from sfactl.session import Session
from sfactl.strategies.asking import audience_text
from sfactl.strategies.book import Book
from sfactl.strategies.files import strategy_names
from sfactl.strategies.usecases.scene import book_of, ledger_effects, paused_by
from sfactl.strategies.walk import again_before, walk

if TYPE_CHECKING:
    from sfactl.engine.duck import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """Something that a strategy did with a lead, or decided about it."""

    at: datetime
    strategy: str
    rotation: int
    step: str
    what: str
    detail: str
    to_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One reason for or against; ``holds`` None is unknown."""

    text: str
    holds: bool | None
    actual: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a plan made now would decide about the lead at one step."""

    step: str
    action: str
    reason: str
    to_step: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What a strategy would do with a lead now, and the grounds on which it does, or does not, let it in."""

    strategy: str
    at: datetime
    standing: str
    since: datetime | None
    grounds: tuple[Ground, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogResult:
    """The run log of one lead."""

    lead_id: int
    lead: str
    lines: tuple[LogLine, ...]
    why: tuple[Why, ...] = ()


def log(session: Session, ref: str, *, strategy: str = "", why: bool = False) -> LogResult:
    """What strategies did with the lead ``ref``; with ``why`` also what they would do now, and on what grounds.

    Raises `NotFound` for the lead or the strategy.
    """
    with session.query() as query:
        [lead_id] = find_leads(query, [ref])
        lead = query.get("leads", lead_id) or {}
        sql = query.statement("strategies", "lead_log")
        lines = query.rows(sql, {"lead": lead_id, "strategy": strategy})
    names = [strategy] if strategy else strategy_names(session.folder)
    return LogResult(
        lead_id=lead_id,
        lead=" · ".join(str(lead[key]) for key in ("full_name", "company") if lead.get(key)),
        lines=tuple(
            LogLine(at=at, strategy=s, rotation=r, step=step, what=what, detail=detail or "", to_step=to)
            for at, s, r, step, what, detail, to in lines
        ),
        why=tuple(_why(session, name, lead_id) for name in names) if why else (),
    )


def _why(session: Session, name: str, lead_id: int) -> Why:
    at = session.as_of_time()
    with session.query() as query:
        book = book_of(session, query, name)
        query.run(
            "create or replace temp table asked_for as select cast($lead as bigint) as lead_id", {"lead": lead_id}
        )
        walk(query, book, at=at, effects=ledger_effects(session), look_at="asked_for", check_texts=False)
        found = query.rows("select step, action, reason, to_step, due_at from walked order by step_no")
        now = query.one(
            "select step, state, since, left_at, reason from enrolments where strategy = $name and lead_id = $lead"
            " order by rotation desc limit 1",
            {"name": name, "lead": lead_id},
        )
        inside = now is not None and now[3] is None
        grounds = () if inside else tuple(_grounds(session, query, book, lead_id, now))
    return Why(
        strategy=name,
        at=at,
        standing=_standing(now),
        since=None if now is None else now[2],
        grounds=grounds,
        decisions=tuple(
            Decision(step=s, action=a, reason=r or "", to_step=to or "", due_at=due) for s, a, r, to, due in found
        ),
    )


def _standing(now: tuple[object, ...] | None) -> str:
    if now is None:
        return "never in"
    step, state, _, left_at, reason = now
    if left_at is not None:
        return f"left at {step} ({reason})" if step else f"left ({reason})"
    return "in the control group, gets nothing" if state == "control" else f"at {step}"


def _grounds(session: Session, query: Query, book: Book, lead_id: int, now: tuple[Any, ...] | None) -> list[Ground]:
    """Why the lead may enter or not, each rule of entering with its answer."""
    strategy = book.file.strategy
    grounds = _terms(query, book, lead_id, session.as_of_time())
    if strategy.state != "active":
        grounds.append(Ground(text=f"the strategy is active: it is {strategy.state}", holds=False))
    if by := paused_by(session, book.name):
        grounds.append(Ground(text="the strategy is not paused", holds=False, actual=f"paused by {by}"))
    if strategy.blacklist:
        listed = query.one("select 1 from blacklist where lead_id = $lead", {"lead": lead_id}) is not None
        grounds.append(Ground(text=f"not blacklisted by {strategy.blacklist}", holds=not listed))
    flags = query.one("select flags[1], flags[2] from walk_flags where lead_id = $lead", {"lead": lead_id})
    for place, what in enumerate(("goal", "exit")):
        if flags is not None and getattr(strategy, what) is not None:
            grounds.append(Ground(text=f"the {what} is not met already", holds=not flags[place]))
    if now is not None:
        before = again_before(strategy, session.as_of_time())
        may = before is not None and now[3] <= before
        grounds.append(
            Ground(text=f"may come again: {strategy.entry.again}", holds=may, actual=f"left {now[3]:%Y-%m-%d}")
        )
    if strategy.exclusive:
        grounds += _group(query, strategy.exclusive, lead_id)
    return grounds


def _group(query: Query, group: str, lead_id: int) -> list[Ground]:
    """Whether another strategy of the exclusive group has the lead, or wants it first."""
    params = {"lead": lead_id}
    has = query.one(
        "select e.strategy from enrolments e join flow_group g on g.strategy = e.strategy"
        " where e.lead_id = $lead and e.left_at is null",
        params,
    )
    wants = query.one("select strategy from rival_audience where lead_id = $lead", params)
    said = f"is in {has[0]}" if has else f"{wants[0]} comes first" if wants else ""
    return [Ground(text=f"no other strategy of group {group} has it or comes first", holds=not said, actual=said)]


def _terms(query: Query, book: Book, lead_id: int, at: datetime) -> list[Ground]:
    """The terms of the audience's condition with the lead's values."""
    names, text = book.names, audience_text(book.file.strategy)
    used = [s for s in segments_in(Source(text=text, where="").parse()) if s in names.segments]
    question = ask(
        text,
        schemas=names.schemas,
        now=at,
        where=f"{book.file.path}: where",
        segments=names.segments,
        scores=names.scores,
        tags=names.tags,
        layers=names.layers,
        using=as_conditions(with_used(names.segments, used)) if used else (),
    )
    columns = [*(t.column for t in question.terms), *(t.value_column or t.column for t in question.terms)]
    row = query.one(f"select {', '.join(columns)} from ({question.sql})", {**question.params, "key": lead_id})
    if row is None:
        return [Ground(text="the lead exists", holds=False)]
    half = len(question.terms)
    return [
        Ground(text=t.text, holds=row[n], actual=_shown(row[half + n]) if t.value_column else "")
        for n, t in enumerate(question.terms)
    ]


def _shown(value: object) -> str:
    return "(empty)" if value is None else str(value)
