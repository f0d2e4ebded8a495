"""Explain the scores of one lead, reason by reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sfactl.scoring import files, matrix
from sfactl.scoring.answers import Explained, LeadExplained
from sfactl.scoring.model import RULES, Score
from sfactl.scoring.reasons import Entry, Reason, add_up, bounds, reasons_statement, sources
from sfactl.scoring.usecases.strategies import SCORES, cursor_name, lead_row, plan_at, plugin_rows, rounded

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session


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
        reader = _lead_rows(query, chosen, lead_id)
        explained = tuple(_explained(session, query, score, lead_id, at, reader) for score in chosen)
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


def _explained(
    session: Session, query: Query, score: Score, lead_id: int, at: datetime, reader: Callable[[str], str]
) -> Explained:
    reasons = _reasons(session, query, score, lead_id, at, reader)
    points = sum((reason.points for reason in reasons), Decimal(0))
    stored = query.get(SCORES, lead_id, score.name)
    agrees = stored is not None and Decimal(str(stored["points"])) == points
    cursor = session.workspace.cursor(cursor_name(score.name)) if session.as_of is None else None
    was_right: bool | None = None
    if stored is not None and not agrees and score.strategy == RULES:
        then = _reasons(session, query, score, lead_id, stored["as_of"], reader)
        was_right = sum((r.points for r in then), Decimal(0)) == Decimal(str(stored["points"]))
    return Explained(
        score=score.name,
        points=points,
        grade=matrix.grade_of(score, points),
        reasons=reasons,
        rules=tuple((r.name, r.summary, r.decay.phrase if r.decay else "") for r in score.rules),
        stored=stored["points"] if stored is not None else None,
        stored_at=stored["as_of"] if stored is not None else None,
        stored_commit=cursor.get("data") if cursor else None,
        agrees=agrees,
        was_right=was_right,
    )


def _reasons(
    session: Session, query: Query, score: Score, lead_id: int, at: datetime, reader: Callable[[str], str]
) -> tuple[Reason, ...]:
    if score.strategy == RULES:
        plan = plan_at(session, at)
        sql = reasons_statement(plan, score, one=True, source=reader)
        rows = query.rows(f'select rule_no, units, "at", detail from ({sql}) as rows', {**plan.params, "key": lead_id})
        return add_up(score, [Entry(rule=r[0], units=int(r[1]), at=r[2], detail=r[3]) for r in rows])
    table = "reasons_of_lead"
    plugin_rows(session, query, score, at, table, lead_id)
    found = query.rows(f'select rule, points, "at", detail from {table} order by rule, "at", detail')
    given = [
        Reason(kind="event" if row[2] else "lead", name=row[0], points=rounded(score, row[1]), at=row[2], detail=row[3])
        for row in found
    ]
    given = [reason for reason in given if reason.points]
    return (*given, *bounds(score, sum((reason.points for reason in given), Decimal(0))))
