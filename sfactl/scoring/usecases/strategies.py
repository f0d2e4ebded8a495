"""Make scoring strategies and collect the reasons that they give."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from sfactl.api.errors import InternalError, NotFound, PluginError, SfactlError
from sfactl.api.protocols import LearningScoring, SqlScoring, TableScoring
from sfactl.config.tags import known_tags
from sfactl.engine.conditions.compile import settings_of
from sfactl.engine.conditions.plan import Plan
from sfactl.scoring import files
from sfactl.scoring.model import RULES, Score
from sfactl.workspace.aliases import living

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.scoring.usecases.model_store import Use
    from sfactl.session import Session

SCORES, EVENTS = "scores", "score_events"
SQL = "scoring"


def plan_at(session: Session, now: datetime) -> Plan:
    """An empty plan about leads as of ``now``, which knows the names of scores, segments and declared tags."""
    segments = {path.stem for path in (session.folder / "segments").glob("*.toml")}
    scores = {path.stem for path in (session.folder / files.FOLDER).glob("*.toml")}
    tags = known_tags(session.folder)
    return Plan(settings_of("leads", session.workspace.schemas, now, segments, scores, tags))


def made(session: Session, score: Score) -> SqlScoring | TableScoring | LearningScoring:
    """The object that computes ``score``. Raises `NotFound`, `ConfigError` or `PluginError`."""
    where = f"{files.FOLDER}/{score.name}.toml: settings"
    return session.host.make("scoring_strategy", score.strategy, score.settings, where=where)


def strategy_text(session: Session, score: Score, use: Use | None = None) -> str:
    """The strategy and, for a plugin's, its version and model, as kept with the stored values."""
    if score.strategy == RULES:
        return RULES
    if use is not None and use.fallback is not None:
        return f"{RULES} of {use.fallback.name}"
    own = f"{score.strategy} {session.host.find('scoring_strategy', score.strategy).version}"
    return own if use is None or use.model is None else f"{own} model {use.model.version}"


def plugin_rows(
    session: Session, query: Query, score: Score, at: datetime, table: str, lead_id: int | None = None
) -> None:
    """Make the temporary table ``table`` with the reasons a plugin's strategy gives: all, or those of one lead."""
    strategy = made(session, score)
    if isinstance(strategy, LearningScoring):
        raise InternalError(f"{score.strategy!r} learns, so it is computed with a model")
    # A strategy may compare leads with each other, so it always sees all; the lead is picked from its answer.
    only = " where points is not null" + ("" if lead_id is None else f" and lead_id = {int(lead_id)}")
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
        wrong = query.one(f"select lead_id, rule, points from {table} where not isfinite(points)")
        if wrong is not None:
            raise ValueError(f"lead {wrong[0]}, rule {wrong[1]!r}: the points are {wrong[2]}")
    except SfactlError:
        raise
    except Exception as err:
        label = session.host.find("scoring_strategy", score.strategy).label
        raise PluginError(f"{label}: scoring strategy {score.strategy!r} failed: {err}") from err


def _all_rows(query: Query, strategy: TableScoring, at: datetime) -> pa.Table:
    return query.table(strategy.query, {"now": at, "as_of": at})


def plugin_units(score: Score, table: str) -> str:
    """The units of every lead from a plugin's reasons, bounded; leads without a reason have 0."""
    total = bounded(score, f"coalesce(sum(round(p.points * {score.unit})), 0)")
    return (
        f"select l.lead_id, cast({total} as double) as units from leads as l"
        f" left join {table} as p on p.lead_id = l.lead_id group by l.lead_id"
    )


def bounded(score: Score, units: str) -> str:
    """``units`` between the floor and the ceiling of ``score``."""
    if score.ceiling is not None:
        units = f"least({units}, {score.ceiling * score.unit})"
    if score.floor is not None:
        units = f"greatest({units}, {score.floor * score.unit})"
    return units


def rounded(score: Score, points: float) -> Decimal:
    """The points of one reason as the run rounds them."""
    # As the engine does it: the product is a double, and half goes away from zero.
    units = Decimal(points * score.unit).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return units.scaleb(-score.decimals)


def lead_row(query: Query, lead_id: int) -> Mapping[str, object]:
    """The lead, or the one that it was merged into. Raises `NotFound`."""
    lead = query.get("leads", living(query, "lead", lead_id))
    if lead is None:
        raise NotFound(f"there is no lead {lead_id}", hint="See: sfactl lead list")
    return lead


def cursor_name(name: str) -> str:
    """The cursor that remembers from which commit a score was computed."""
    return f"score:{name}"


def literal(text: str) -> str:
    """``text`` as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
