"""Explain the scores of one lead, reason by reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from sfactl.api.errors import UserError
from sfactl.api.protocols import LearningScoring
from sfactl.scoring import files, matrix
from sfactl.scoring.answers import Explained, LeadExplained
from sfactl.scoring.model import RULES, Rule, Score
from sfactl.scoring.parts import rounded_parts
from sfactl.scoring.reasons import Entry, Reason, add_up, bounds, reasons_statement, sources
from sfactl.scoring.usecases.model_store import Use, lead_parts, use_of
from sfactl.scoring.usecases.strategies import SCORES, cursor_name, lead_row, made, plan_at, plugin_rows, rounded

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One lead, where to read about it, and the table that holds its own rows of each relation."""

    session: Session
    query: Query
    lead_id: int
    reader: Callable[[str], str]


def explain(session: Session, lead_id: int, names: Sequence[str] = ()) -> LeadExplained:
    """Compute scores of one lead anew at ``--as-of``, reason by reason, and compare with what is stored.

    Only the lead's own rows are read. Raises `NotFound` for the lead or a score.
    """
    scores = files.read_scores(session.folder)
    chosen = [files.named(scores, name) for name in names] or list(scores.values())
    at = session.as_of_time()
    with session.query() as query:
        lead = lead_row(query, lead_id)
        lead_id = int(str(lead["lead_id"]))
        uses = {score.name: _use(session, query, score, scores) for score in chosen}
        if idle := [(name, use) for name, use in uses.items() if use is not None and use.idle]:
            if names:
                raise UserError(f"score {idle[0][0]!r} cannot be computed: {idle[0][1].note}")
            session.note(f"Left out: {'; '.join(f'{name} ({use.note})' for name, use in idle)}")
            chosen = [score for score in chosen if score.name not in dict(idle)]
        reader = _lead_rows(query, [*chosen, *(use.fallback for use in uses.values() if use and use.fallback)], lead_id)
        asked = Asked(session=session, query=query, lead_id=lead_id, reader=reader)
        explained = tuple(_explained(asked, score, uses[score.name], at) for score in chosen)
    grades = [one.grade for one in explained]
    paired = len(grades) == 2 and all(grades)
    return LeadExplained(
        lead_id=lead_id,
        lead=" · ".join(str(lead[key]) for key in ("full_name", "company") if lead.get(key)),
        at=at,
        scores=explained,
        cell=matrix.cell(grades[0], grades[1]) if paired else None,
    )


def _lead_rows(query: Query, scores: Sequence[Score], lead_id: int) -> Callable[[str], str]:
    """Read the lead's rows of every relation once; answers the name of the table to use instead of the relation."""
    relations = {name for score in scores if score.strategy == RULES for name in sources(score)}
    for name in relations:
        query.run(f"create temp table own_{name} as select * from {name} where lead_id = $key", {"key": lead_id})
    return lambda name: f"own_{name}" if name in relations else name


def _use(session: Session, query: Query, score: Score, scores: Mapping[str, Score]) -> Use | None:
    """With what a score that learns is computed; None for others."""
    if score.strategy == RULES or not isinstance(made(session, score), LearningScoring):
        return None
    return use_of(session, query, score, scores)


def _explained(asked: Asked, score: Score, use: Use | None, at: datetime) -> Explained:
    session, query, lead_id = asked.session, asked.query, asked.lead_id
    reasons = _reasons(asked, score, use, at)
    points = sum((reason.points for reason in reasons), Decimal(0))
    stored = query.get(SCORES, lead_id, score.name)
    agrees = stored is not None and Decimal(str(stored["points"])) == points
    cursor = session.workspace.cursor(cursor_name(score.name)) if session.as_of is None else None
    was_right: bool | None = None
    if stored is not None and not agrees and score.strategy == RULES:
        then = _reasons(asked, score, use, stored["as_of"])
        was_right = sum((r.points for r in then), Decimal(0)) == Decimal(str(stored["points"]))
    return Explained(
        score=score.name,
        points=points,
        grade=matrix.grade_of(score, points),
        reasons=reasons,
        rules=tuple((r.name, r.summary, r.decay.phrase if r.decay else "") for r in _rules_of(score, use)),
        stored=stored["points"] if stored is not None else None,
        stored_at=stored["as_of"] if stored is not None else None,
        stored_commit=cursor.get("data") if cursor else None,
        agrees=agrees,
        was_right=was_right,
        note=use.note if use is not None else "",
    )


def _rules_of(score: Score, use: Use | None) -> Sequence[Rule]:
    return use.fallback.rules if use is not None and use.fallback is not None else score.rules


def _reasons(asked: Asked, score: Score, use: Use | None, at: datetime) -> tuple[Reason, ...]:
    if score.strategy == RULES:
        return _rule_reasons(asked, score, at)
    if use is not None and use.model is not None:
        rows = lead_parts(asked.session, asked.query, score, use.model, at, asked.lead_id)
        learned = rounded_parts(rows, score.unit)
        return (*learned, *bounds(score, sum((reason.points for reason in learned), Decimal(0))))
    if use is not None and use.fallback is not None:
        return _stand_in(score, _rule_reasons(asked, use.fallback, at))
    return _plugin_reasons(asked, score, at)


def _rule_reasons(asked: Asked, score: Score, at: datetime) -> tuple[Reason, ...]:
    plan = plan_at(asked.session, at)
    sql = reasons_statement(plan, score, one=True, source=asked.reader)
    params = {**plan.params, "key": asked.lead_id}
    rows = asked.query.rows(f'select rule_no, units, "at", detail from ({sql}) as rows', params)
    return add_up(score, [Entry(rule=r[0], units=int(r[1]), at=r[2], detail=r[3]) for r in rows])


def _stand_in(score: Score, reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """The reasons of a rule score that stands in for ``score``, rounded to its decimals and within its bounds."""
    total = sum((reason.points for reason in reasons), Decimal(0))
    whole = (total * score.unit + Decimal("0.5")).to_integral_value(ROUND_FLOOR).scaleb(-score.decimals)
    if whole != total:
        reasons = (*reasons, Reason(kind="lead", name="rounding", points=whole - total))
    return (*reasons, *bounds(score, whole))


def _plugin_reasons(asked: Asked, score: Score, at: datetime) -> tuple[Reason, ...]:
    table = "reasons_of_lead"
    plugin_rows(asked.session, asked.query, score, at, table, asked.lead_id)
    found = asked.query.rows(f'select rule, points, "at", detail from {table} order by rule, "at", detail')
    given = [
        Reason(kind="event" if row[2] else "lead", name=row[0], points=rounded(score, row[1]), at=row[2], detail=row[3])
        for row in found
    ]
    given = [reason for reason in given if reason.points]
    return (*given, *bounds(score, sum((reason.points for reason in given), Decimal(0))))
