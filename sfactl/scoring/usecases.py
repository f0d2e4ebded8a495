"""List, check, run, show and explain scores. The only module of this slice that touches the workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import ConfigError, NotFound, PluginError, SfactlError
from sfactl.api.protocols import SqlScoring, TableScoring
from sfactl.engine.conditions.compile import settings_of
from sfactl.engine.conditions.plan import Plan
from sfactl.scoring import files, matrix
from sfactl.scoring.answers import (
    Checked,
    Explained,
    GradeCount,
    LeadExplained,
    Listed,
    Matrix,
    MatrixRow,
    Ran,
    RunResult,
    Shown,
)
from sfactl.scoring.model import RULES, Score
from sfactl.scoring.reasons import Entry, Reason, add_up, bounds, reasons_statement, sources
from sfactl.scoring.rules import totals_statement

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace.transaction import Transaction

SCORES, EVENTS = "scores", "score_events"
SQL = "scoring"


def list_scores(session: Session) -> tuple[Listed, ...]:
    """Every score file and what is stored of it, by name."""
    scores = files.read_scores(session.folder)
    with session.query() as query:
        stored = {row[0]: row for row in query.rows(query.statement(SQL, "stored"))}
    return tuple(
        Listed(
            name=score.name,
            strategy=score.strategy,
            rules=len(score.rules),
            leads=stored[score.name][1] if score.name in stored else 0,
            last_changed=stored[score.name][2] if score.name in stored else None,
            summary=score.summary,
        )
        for score in scores.values()
    )


def check(session: Session, paths: Sequence[Path] = ()) -> Checked:
    """Read and compile score files (default: all of the workspace) without running them; collects the problems."""
    chosen = list(paths) or sorted((session.folder / files.FOLDER).glob("*.toml"))
    problems: list[str] = []
    for path in chosen:
        if path.suffix != ".toml":
            raise ConfigError(f"{path}: a score is a file NAME.toml")
        try:
            score = files.read_score(path)
            if score.strategy == RULES:
                totals_statement(_plan(session, session.now()), [score])
            else:
                _made(session, score)
        except SfactlError as err:
            problems.append(err.message)
    return Checked(checked=len(chosen), problems=tuple(problems))


def run(session: Session, names: Sequence[str] = ()) -> RunResult:
    """Compute the scores ``names`` (default: all) for every lead as of now and store what changed.

    All rule scores share one pass over each relation. Raises `ConditionError`, `NotFound`, `PluginError`.
    """
    scores = files.read_scores(session.folder)
    chosen = [files.named(scores, name) for name in names] or list(scores.values())
    at = session.now()
    if not chosen:
        return RunResult(at=at, commit=None, dry_run=session.dry_run, scores=())
    with session.write(SCORES) as tx:
        _compute(session, tx.query, chosen, at)
        tx.query.run(f"create temp table changed as {tx.query.statement(SQL, 'changed')}")
        tx.query.run(f"create temp table gone as {tx.query.statement(SQL, 'gone')}")
        result = RunResult(at=at, commit=None, dry_run=session.dry_run, scores=_ran(tx.query, chosen))
        if not result.changed:
            return result
        _store(session, tx, at, chosen)
        commit = tx.commit(scores={ran.name: [ran.leads, ran.new, ran.up, ran.down] for ran in result.scores})
    return RunResult(at=at, commit=commit.seq, dry_run=session.dry_run, scores=result.scores)


def show(session: Session, lead_id: int) -> tuple[Shown, ...]:
    """The stored scores of one lead. Raises `NotFound` for the lead."""
    with session.query() as query:
        _lead(query, lead_id)
        rows = [query.get(SCORES, lead_id, name) for name in files.read_scores(session.folder)]
    return tuple(
        Shown(
            score=row["score"],
            points=row["points"],
            grade=row["grade"],
            as_of=row["as_of"],
            strategy=row["strategy"],
        )
        for row in rows
        if row is not None
    )


def explain(session: Session, lead_id: int, names: Sequence[str] = ()) -> LeadExplained:
    """Compute scores of one lead anew at ``--as-of``, reason by reason, and compare with what is stored.

    Only the lead's own rows are read. Raises `NotFound` for the lead or a score.
    """
    scores = files.read_scores(session.folder)
    chosen = [files.named(scores, name) for name in names] or list(scores.values())
    at = session.as_of_time()
    with session.query() as query:
        lead = _lead(query, lead_id)
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


def count_matrix(session: Session, down: str, across: str) -> Matrix:
    """How many leads are in each cell of the stored grades of two scores."""
    scores = files.read_scores(session.folder)
    one, other = files.named(scores, down), files.named(scores, across)
    with session.query() as query:
        rows = query.rows(query.statement(SQL, "matrix"), {"down": down, "across": across})
    counted = matrix.grid(one, other, {(row[0], row[1]): row[2] for row in rows})
    return Matrix(
        down=down,
        across=across,
        grades=tuple(matrix.grade_order(other)),
        rows=tuple(MatrixRow(grade=grade, leads=tuple(counts)) for grade, counts in counted),
    )


def _plan(session: Session, now: datetime) -> Plan:
    segments = {path.stem for path in (session.folder / "segments").glob("*.toml")}
    scores = {path.stem for path in (session.folder / files.FOLDER).glob("*.toml")}
    return Plan(settings_of("leads", session.workspace.schemas, now, segments, scores))


def _made(session: Session, score: Score) -> SqlScoring | TableScoring:
    where = f"{files.FOLDER}/{score.name}.toml: settings"
    return session.host.make("scoring_strategy", score.strategy, score.settings, where=where)


def _strategy(session: Session, score: Score) -> str:
    """The strategy and, for a plugin's, its version, as kept with the stored values."""
    if score.strategy == RULES:
        return RULES
    return f"{score.strategy} {session.host.find('scoring_strategy', score.strategy).version}"


def _compute(session: Session, query: Query, scores: Sequence[Score], at: datetime) -> None:
    """Make the temporary table ``fresh``: lead_id, score, points, grade and strategy of every lead."""
    rules = [score for score in scores if score.strategy == RULES]
    if rules:
        plan = _plan(session, at)
        query.run(f"create temp table totals as {totals_statement(plan, rules)}", plan.params)
    parts = []
    for score in scores:
        if score.strategy == RULES:
            units = f'select lead_id, "_u{rules.index(score)}" as units from totals'
        else:
            table = f"plugin_{scores.index(score)}"
            _plugin_rows(session, query, score, at, table)
            units = _plugin_units(score, table)
        parts.append(_graded(score, units, _strategy(session, score)))
    query.run(f"create temp table fresh as {' union all '.join(parts)}")


def _graded(score: Score, units: str, strategy: str) -> str:
    ranked = sorted(score.grades, key=lambda grade: -grade.at_least)
    whens = " ".join(f"when units >= {g.at_least * score.unit} then {_literal(g.grade)}" for g in ranked)
    grade = f"case {whens} end" if whens else "cast(null as varchar)"
    return (
        f"select lead_id, {_literal(score.name)} as score, units / {score.unit}.0 as points, {grade} as grade,"
        f" {_literal(strategy)} as strategy from ({units}) as units_of_{score.unit}"
    )


def _plugin_rows(
    session: Session, query: Query, score: Score, at: datetime, table: str, lead_id: int | None = None
) -> None:
    """Make the temporary table ``table`` with the reasons a plugin's strategy gives: all, or those of one lead."""
    strategy = _made(session, score)
    # A strategy may compare leads with each other, so it always sees all; the lead is picked from its answer.
    only = "" if lead_id is None else f" where lead_id = {int(lead_id)}"
    columns = "cast(lead_id as bigint) as lead_id, cast(rule as varchar) as rule, cast(points as double) as points,"
    columns += " cast(detail as varchar) as detail"
    try:
        if isinstance(strategy, SqlScoring):
            statement = strategy.statement()
            sql = f'select {columns}, cast("at" as timestamp) as "at" from ({statement.sql}) as reasons{only}'
            query.run(f"create or replace temp table {table} as {sql}", {**statement.params, "now": at, "as_of": at})
        else:
            given = strategy.score(_all_rows(query, strategy, at))
            query.register(f"{table}_given", given)
            sql = f'select {columns}, cast(null as timestamp) as "at" from {table}_given{only}'
            query.run(f"create or replace temp table {table} as {sql}")
    except SfactlError:
        raise
    except Exception as err:
        label = session.host.find("scoring_strategy", score.strategy).label
        raise PluginError(f"{label}: scoring strategy {score.strategy!r} failed: {err}") from err


def _all_rows(query: Query, strategy: TableScoring, at: datetime) -> pa.Table:
    return query.table(strategy.query, {"now": at, "as_of": at})


def _plugin_units(score: Score, table: str) -> str:
    """The units of every lead from a plugin's reasons, bounded; leads without a reason have 0."""
    total = f"coalesce(sum(round(p.points * {score.unit})), 0)"
    if score.ceiling is not None:
        total = f"least({total}, {score.ceiling * score.unit})"
    if score.floor is not None:
        total = f"greatest({total}, {score.floor * score.unit})"
    return (
        f"select l.lead_id, cast({total} as double) as units from leads as l"
        f" left join {table} as p on p.lead_id = l.lead_id group by l.lead_id"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _ran(query: Query, scores: Sequence[Score]) -> tuple[Ran, ...]:
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
        tx.set_cursor(_cursor(score.name), {"at": at.isoformat(), "data": tx.query.seq})


def _cursor(name: str) -> str:
    return f"score:{name}"


def _lead(query: Query, lead_id: int) -> Mapping[str, object]:
    lead = query.get("leads", lead_id)
    if lead is None:
        raise NotFound(f"there is no lead {lead_id}", hint="See: sfactl lead list")
    return lead


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
    cursor = session.workspace.cursor(_cursor(score.name)) if session.as_of is None else None
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
        plan = _plan(session, at)
        sql = reasons_statement(plan, score, one=True, source=reader)
        rows = query.rows(f'select rule_no, units, "at", detail from ({sql}) as rows', {**plan.params, "key": lead_id})
        return add_up(score, [Entry(rule=r[0], units=int(r[1]), at=r[2], detail=r[3]) for r in rows])
    table = "reasons_of_lead"
    _plugin_rows(session, query, score, at, table, lead_id)
    found = query.rows(f'select rule, points, "at", detail from {table} order by rule, "at", detail')
    given = [
        Reason(
            kind="event" if row[2] else "lead", name=row[0], points=_rounded(score, row[1]), at=row[2], detail=row[3]
        )
        for row in found
    ]
    given = [reason for reason in given if reason.points]
    return (*given, *bounds(score, sum((reason.points for reason in given), Decimal(0))))


def _rounded(score: Score, points: float) -> Decimal:
    # As the engine does it: the product is a double, and half goes away from zero.
    units = Decimal(points * score.unit).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return units.scaleb(-score.decimals)
