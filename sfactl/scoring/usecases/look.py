"""List, check and show scores, and count their grades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import ConfigError, SfactlError
from sfactl.api.protocols import LearningScoring
from sfactl.scoring import features, files, matrix
from sfactl.scoring.answers import Checked, Listed, Matrix, MatrixRow, Shown
from sfactl.scoring.model import RULES, Score
from sfactl.scoring.outcomes import outcomes_sql
from sfactl.scoring.rules import totals_statement
from sfactl.scoring.usecases.model_store import fallback_of
from sfactl.scoring.usecases.strategies import SCORES, SQL, lead_row, made, plan_at

if TYPE_CHECKING:
    from sfactl.session import Session


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
                totals_statement(plan_at(session, session.now()), [score])
            else:
                _check_made(session, score)
        except SfactlError as err:
            problems.append(err.message)
    return Checked(checked=len(chosen), problems=tuple(problems))


def _check_made(session: Session, score: Score) -> None:
    """Make the strategy, and compile what a score that learns asks of leads."""
    if not isinstance(made(session, score), LearningScoring):
        if score.learns:
            raise ConfigError(f"scores/{score.name}.toml: {score.strategy!r} does not learn, so it takes no features")
        return
    schema = session.workspace.schemas["leads"]
    plan = plan_at(session, session.now())
    fields = features.chosen(score, schema.types, [column.name for column in schema.columns if column.custom])
    features.compiled(plan, score, [name for name in fields if name in schema.types])
    outcomes_sql(plan_at(session, session.now()), score)
    fallback_of(score, files.read_scores(session.folder))


def show(session: Session, lead_id: int) -> tuple[Shown, ...]:
    """The stored scores of one lead. Raises `NotFound` for the lead."""
    with session.query() as query:
        lead_id = int(str(lead_row(query, lead_id)["lead_id"]))
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


def count_matrix(session: Session, down: str, across: str) -> Matrix:
    """How many leads are in each cell of the stored grades of two scores."""
    scores = files.read_scores(session.folder)
    one, other = files.named(scores, down), files.named(scores, across)
    with session.query() as query:
        rows = query.rows(query.statement(SQL, "matrix"), {"down": down, "across": across})
    return counted_matrix(one, other, {(row[0], row[1]): row[2] for row in rows})


def counted_matrix(down: Score, across: Score, counts: Mapping[tuple[str | None, str | None], int]) -> Matrix:
    """The grid of two scores' grades, filled with ``counts``."""
    return Matrix(
        down=down.name,
        across=across.name,
        grades=tuple(matrix.grade_order(across)),
        rows=tuple(MatrixRow(grade=grade, leads=tuple(leads)) for grade, leads in matrix.grid(down, across, counts)),
    )
