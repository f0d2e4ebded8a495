"""Read and keep learned models, and say which one a score is computed with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import ConfigError, NotFound, PluginError, SfactlError, UserError
from sfactl.api.protocols import LearningScoring
from sfactl.engine.conditions.kinds import kind_of
from sfactl.engine.conditions.plan import KEY_PARAMETER, Plan
from sfactl.schemas.dataset import core_dataset
from sfactl.scoring import features, parts
from sfactl.scoring.features import Feature
from sfactl.scoring.model import RULES, Score
from sfactl.scoring.models import Model, model_of
from sfactl.scoring.usecases.strategies import made, plan_at

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace import Transaction

MODELS = "models"
BATCH = 50_000
TYPES = {"text": "text", "yes/no": "yes/no"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """With what a learning score is computed: a model, or a rule score instead, or (neither) not at all; and why."""

    model: Model | None = None
    fallback: Score | None = None
    note: str = ""

    @property
    def idle(self) -> bool:
        """Whether it cannot be computed."""
        return self.model is None and self.fallback is None


def learner(session: Session, score: Score) -> LearningScoring:
    """The learning strategy of ``score``. Raises `ConfigError` where its strategy does not learn."""
    strategy = None if score.strategy == RULES else made(session, score)
    if not isinstance(strategy, LearningScoring):
        raise ConfigError(
            f"scores/{score.name}.toml: strategy: {score.strategy!r} does not learn, so there is nothing to train",
            hint='A strategy that learns is strategy = "frequency".',
        )
    return strategy


def stored(query: Query, score: str | None = None) -> list[Mapping[str, Any]]:
    """The rows of all models, or of one score's, newest version first."""
    where = "" if score is None else " where score = $score"
    rows = query.table(f"select * from models{where} order by score, version desc", {"score": score})
    found: list[Mapping[str, Any]] = rows.to_pylist()
    return found


def write_models(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write whole rows of models."""
    import pyarrow as pa

    tx.upsert(MODELS, pa.Table.from_pylist(list(rows), schema=core_dataset(MODELS).arrow()))


def version_of(query: Query, score: str, version: int) -> Model:
    """One model. Raises `NotFound`, or `DataError` where it is damaged."""
    row = query.get(MODELS, score, version)
    if row is None:
        raise NotFound(f"score {score!r} has no model {version}", hint=f"See: sfactl score models {score}")
    return model_of(row)


def champion(query: Query, score: str) -> Model | None:
    """The model in use. Raises `DataError` where it is damaged."""
    rows = query.table("select * from models where score = $score and state = 'champion'", {"score": score})
    return model_of(rows.to_pylist()[0]) if rows.num_rows else None


def use_of(session: Session, query: Query, score: Score, scores: Mapping[str, Score]) -> Use:
    """With what ``score`` is to be computed. Raises `ConfigError` for a fallback that cannot be one."""
    fallback = fallback_of(score, scores)
    try:
        model = champion(query, score.name)
        why = "nothing is learned yet" if model is None else unfit(session, score, model)
    except UserError as err:
        model, why = None, err.message
    if not why:
        assert model is not None
        return Use(model=model, note=model.label)
    if fallback is not None:
        return Use(fallback=fallback, note=f"rule score {fallback.name} instead: {why}")
    return Use(note=f"{why}; run: sfactl score train {score.name}")


def fallback_of(score: Score, scores: Mapping[str, Score]) -> Score | None:
    """The rule score that stands in. Raises `ConfigError` where it is none."""
    if score.fallback is None:
        return None
    place = f"scores/{score.name}.toml: fallback"
    if score.fallback not in scores:
        raise ConfigError(f"{place}: there is no score {score.fallback!r}")
    if scores[score.fallback].strategy != RULES:
        raise ConfigError(f"{place}: {score.fallback} is no rule score")
    return scores[score.fallback]


def unfit(session: Session, score: Score, model: Model) -> str:
    """Why ``model`` cannot be used for ``score`` as its file and the data are now; empty where it can."""
    own = session.host.find("scoring_strategy", score.strategy)
    if model.strategy != score.strategy:
        return f"model {model.version} was learned by {model.strategy}, not by {score.strategy}"
    if too_few := shortage(score, model.leads, model.won):
        return f"model {model.version} learned from too few: {too_few}"
    if _newer(model.made_by, own.version):
        return f"model {model.version} was made by {score.strategy} {model.made_by}, this is {own.version}"
    types = session.workspace.schemas["leads"].types
    for one in model.features:
        if one.measure is not None:
            continue
        if one.name not in types:
            return f"the field {one.name} that model {model.version} learned from is gone"
        if type_name(types[one.name]) != one.type:
            return f"the field {one.name} was {one.type} when model {model.version} was learned"
        if one.name in score.known_after_outcome:
            return f"model {model.version} learned from {one.name}, which is declared as known only after the outcome"
    return ""


def shortage(score: Score, leads: int, won: int) -> str:
    """What is missing for learning; empty where there is enough."""
    if leads < score.min_samples:
        return f"{leads:,} leads with an outcome, {score.min_samples:,} needed"
    for count, word in ((won, "won"), (leads - won, "lost")):
        if count < score.min_won:
            return f"{count:,} {word} leads, {score.min_won:,} needed"
    return ""


def type_name(sql_type: str) -> str:
    """What learning makes of a column: text, number (of days, for a date) or yes/no."""
    kind = kind_of(sql_type)
    return TYPES.get(kind.name, "number") if kind else "text"


def inputs(plan: Plan, model: Model) -> tuple[Feature, ...]:
    """The features of ``model`` as SQL; its measures as they were when it was trained."""
    pinned = Score(
        name=model.score,
        strategy=model.strategy,
        measures={one.name: one.measure for one in model.features if one.measure is not None},
    )
    fields = [one.name for one in model.features if one.measure is None]
    return features.compiled(plan, pinned, fields)


def learned_totals(session: Session, query: Query, score: Score, model: Model, at: datetime, table: str) -> None:
    """Make ``table`` (lead_id, units) with the score of every lead under ``model``, before floor and ceiling."""
    import pyarrow as pa

    strategy = learner(session, score)
    plan = plan_at(session, at)
    sql = features.statement(plan, inputs(plan, model))
    ids, units = [], []
    whole = query.table(sql, plan.params)
    for start in range(0, whole.num_rows, BATCH):
        answer = answered(session, score, strategy, whole.slice(start, BATCH), model.parameters)
        leads, points = parts.lead_totals(answer)
        ids.append(pa.array(leads, pa.int64()))
        units.append(pa.array(parts.total_units(points, score.unit), pa.float64()))
    columns = {"lead_id": pa.chunked_array(ids, pa.int64()), "units": pa.chunked_array(units, pa.float64())}
    query.register(table, pa.table(columns))


def lead_parts(
    session: Session, query: Query, score: Score, model: Model, at: datetime, lead_id: int
) -> list[tuple[str, float, str | None]]:
    """The rows (rule, points, detail) that ``model`` gives one lead, in order."""
    plan = plan_at(session, at)
    sql = features.statement(plan, inputs(plan, model), one=True)
    table = query.table(sql, {**plan.params, KEY_PARAMETER: lead_id})
    answer = answered(session, score, learner(session, score), table, model.parameters)
    names = ("rule", "points", "detail")
    return list(zip(*(answer.column(name).to_pylist() for name in names), strict=True))


def answered(
    session: Session, score: Score, strategy: LearningScoring, table: pa.Table, parameters: Mapping[str, Any]
) -> pa.Table:
    """The reasons that a learner gives for ``table``. Raises `PluginError` for whatever goes wrong inside it."""
    label = session.host.find("scoring_strategy", score.strategy).label
    try:
        answer = strategy.score(table, parameters)
        _check_answer(answer)
    except SfactlError:
        raise
    except Exception as err:
        raise PluginError(
            f"{label}: scoring strategy {score.strategy!r} failed with the model of {score.name!r}: {err!r}",
            hint=f"Train anew: sfactl score train {score.name}",
        ) from err
    return answer


def _check_answer(answer: pa.Table) -> None:
    import numpy as np

    wanted: Sequence[str] = ("lead_id", "rule", "points", "detail")
    if missing := [name for name in wanted if name not in answer.column_names]:
        raise PluginError(f"the answer lacks the column {missing[0]}")
    if not np.isfinite(answer.column("points").to_numpy()).all():
        raise PluginError("the answer has points that are no numbers")


def _newer(one: str, other: str) -> bool:
    return _numbers(one) > _numbers(other)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]
