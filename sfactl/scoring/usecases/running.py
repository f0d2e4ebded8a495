"""Run scores: compute them for every lead and store what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sfactl.api.errors import UserError
from sfactl.api.protocols import LearningScoring
from sfactl.scoring import files, matrix
from sfactl.scoring.answers import GradeCount, Matrix, Ran, RunResult, Skipped
from sfactl.scoring.model import RULES, Score
from sfactl.scoring.rules import totals_statement
from sfactl.scoring.usecases.look import counted_matrix
from sfactl.scoring.usecases.model_store import Use, learned_totals, use_of
from sfactl.scoring.usecases.strategies import (
    EVENTS,
    SCORES,
    SQL,
    bounded,
    cursor_name,
    literal,
    made,
    plan_at,
    plugin_rows,
    plugin_units,
    strategy_text,
)

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace.transaction import Transaction


def run(session: Session, names: Sequence[str] = (), *, with_matrix: bool = False) -> RunResult:
    """Compute the scores ``names`` (default: all) for every lead as of now and store what changed.

    ``with_matrix`` counts the leads by their grades of the two scores that have grades as well.

    All rule scores share one pass over each relation. Raises `ConditionError`, `NotFound`, `PluginError`.
    """
    scores = files.read_scores(session.folder)
    chosen = [files.named(scores, name) for name in names] or list(scores.values())
    at = session.now()
    pair = _pair(chosen) if with_matrix else None
    if not chosen:
        return RunResult(at=at, commit=None, dry_run=session.dry_run, scores=())
    with session.write(SCORES) as tx:
        uses = _uses(session, tx.query, chosen, scores)
        skipped = tuple(Skipped(name=name, reason=use.note) for name, use in uses.items() if use.idle)
        if skipped and names:
            raise UserError(f"score {skipped[0].name!r} cannot be computed: {skipped[0].reason}")
        chosen = [score for score in chosen if not (score.name in uses and uses[score.name].idle)]
        if not chosen:
            return RunResult(at=at, commit=None, dry_run=session.dry_run, scores=(), skipped=skipped)
        _compute(session, tx.query, chosen, at, uses)
        tx.query.run(f"create temp table changed as {tx.query.statement(SQL, 'changed')}")
        tx.query.run(f"create temp table gone as {tx.query.statement(SQL, 'gone')}")
        ran = _ran(tx.query, chosen, uses)
        cells = _cells(tx.query, *pair) if pair is not None else None
        result = RunResult(at=at, commit=None, dry_run=session.dry_run, scores=ran, skipped=skipped, matrix=cells)
        if not result.changed:
            return result
        _store(session, tx, at, chosen)
        commit = tx.commit(scores={ran.name: [ran.leads, ran.new, ran.up, ran.down] for ran in result.scores})
    return replace(result, commit=commit.seq)


def _pair(scores: Sequence[Score]) -> tuple[Score, Score]:
    """The two scores of a matrix, that with digits as grades first. Raises `UserError` unless there are two."""
    graded = sorted((score for score in scores if score.grades), key=lambda score: not score.grades[0].grade.isdigit())
    if len(graded) != 2:
        raise UserError(
            f"a matrix needs two scores with grades, not {len(graded)}", hint="Name them: sfactl score run fit intent"
        )
    return graded[0], graded[1]


def _cells(query: Query, down: Score, across: Score) -> Matrix:
    rows = query.rows(
        "select d.grade, a.grade, count(*) from fresh as d join fresh as a on a.lead_id = d.lead_id"
        " where d.score = $down and a.score = $across group by d.grade, a.grade",
        {"down": down.name, "across": across.name},
    )
    return counted_matrix(down, across, {(row[0], row[1]): row[2] for row in rows})


def _uses(session: Session, query: Query, chosen: Sequence[Score], scores: Mapping[str, Score]) -> dict[str, Use]:
    """With what each of the scores that learn is computed."""
    others = [score for score in chosen if score.strategy != RULES]
    learning = [score for score in others if isinstance(made(session, score), LearningScoring)]
    return {score.name: use_of(session, query, score, scores) for score in learning}


def _compute(session: Session, query: Query, scores: Sequence[Score], at: datetime, uses: Mapping[str, Use]) -> None:
    """Make the temporary table ``fresh``: lead_id, score, points, grade and strategy of every lead."""
    rules = [score for score in scores if score.strategy == RULES]
    for use in uses.values():
        if use.fallback is not None and use.fallback not in rules:
            rules.append(use.fallback)
    if rules:
        plan = plan_at(session, at)
        query.run(f"create temp table totals as {totals_statement(plan, rules)}", plan.params)
    parts = []
    for score in scores:
        if score.strategy == RULES:
            units = f'select lead_id, "_u{rules.index(score)}" as units from totals'
        elif score.name in uses:
            units = _learned_units(session, query, score, uses[score.name], rules, at)
        else:
            table = f"plugin_{scores.index(score)}"
            plugin_rows(session, query, score, at, table)
            units = plugin_units(score, table)
        parts.append(_graded(score, units, strategy_text(session, score, uses.get(score.name))))
    query.run(f"create temp table fresh as {' union all '.join(parts)}")


def _learned_units(session: Session, query: Query, score: Score, use: Use, rules: Sequence[Score], at: datetime) -> str:
    if use.model is not None:
        table = f"learned_{score.name}"
        learned_totals(session, query, score, use.model, at, table)
        return f'select lead_id, {bounded(score, "units")} as units from "{table}"'
    assert use.fallback is not None
    # Both scores count in their own smallest units; half goes up, as in the explanation.
    place, scale = rules.index(use.fallback), score.unit / use.fallback.unit
    units = bounded(score, f'floor("_u{place}" * {scale} + 0.5)')
    return f"select lead_id, cast({units} as double) as units from totals"


def _graded(score: Score, units: str, strategy: str) -> str:
    ranked = sorted(score.grades, key=lambda grade: -grade.at_least)
    whens = " ".join(f"when units >= {g.at_least * score.unit} then {literal(g.grade)}" for g in ranked)
    grade = f"case {whens} end" if whens else "cast(null as varchar)"
    return (
        f"select lead_id, {literal(score.name)} as score, units / {score.unit}.0 as points, {grade} as grade,"
        f" {literal(strategy)} as strategy from ({units}) as units_of_{score.unit}"
    )


def _ran(query: Query, scores: Sequence[Score], uses: Mapping[str, Use]) -> tuple[Ran, ...]:
    counts = {row[0]: row[1:] for row in query.rows(query.statement(SQL, "moves"))}
    grades: dict[str, dict[str | None, int]] = {}
    for name, grade, leads in query.rows("select score, grade, count(*) from fresh group by score, grade"):
        grades.setdefault(name, {})[grade] = leads
    return tuple(
        Ran(
            name=score.name,
            leads=sum(grades.get(score.name, {}).values()),
            new=moved[0],
            up=moved[1],
            down=moved[2],
            gone=moved[3],
            note=uses[score.name].note if score.name in uses else "",
            grades=tuple(
                GradeCount(grade=known, leads=grades.get(score.name, {}).get(known, 0))
                for name in matrix.grade_order(score)
                for known in [None if name == matrix.UNGRADED else name]
            ),
        )
        for score in scores
        for moved in [counts.get(score.name, (0, 0, 0, 0))]
    )


def _store(session: Session, tx: Transaction, at: datetime, scores: Sequence[Score]) -> None:
    params = {"at": at, "run": session.run_id}
    tx.upsert(SCORES, tx.query.statement(SQL, "upserts"), params)
    tx.delete(SCORES, "select lead_id, score from gone")
    tx.append(EVENTS, tx.query.statement(SQL, "events"), params)
    for score in scores:
        tx.set_cursor(cursor_name(score.name), {"at": at.isoformat(), "data": tx.query.seq})
