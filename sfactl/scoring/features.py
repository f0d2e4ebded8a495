"""What a score may learn from: fields of a lead, and measures written as expressions, each as SQL of a plain type.

Texts stay text, numbers become doubles, a date or time becomes its days before the time of the run. Refused is what
belongs to the outcome itself, and what is only known for today: stored scores and memberships.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from sfactl.api.errors import ConfigError
from sfactl.engine.conditions.expressions import Checker
from sfactl.engine.conditions.kinds import DATE, TEXT, TIME, YES_NO, Kind, kind_of
from sfactl.engine.conditions.plan import Plan, quote
from sfactl.engine.conditions.scope import Scope
from sfactl.engine.conditions.source import Source, nearest
from sfactl.engine.conditions.typed import sql_of
from sfactl.scoring.model import Score

USABLE = (
    "title",
    "industry",
    "employees",
    "city",
    "region",
    "country",
    "language",
    "time_zone",
    "source",
    "channel",
    "direction",
    "event",
    "campaign",
    "referrer",
    "product_interest",
    "budget",
)
"""Fields of every lead that are learned from unless others are named; custom fields come on top."""

OUTCOME = (
    "lead_id",
    "status",
    "disqualified_reason",
    "converted_at",
    "account_id",
    "contact_id",
    "opportunity_id",
    "updated_at",
    "merged_into",
)
"""Fields that the life of a lead writes itself: they are the outcome, not a reason for it."""

PRESENT = ("opportunities", "quotes", "quote_lines", "scores", "score_events", "segment_members", "models")
"""Datasets that measures may not ask: they come with the outcome, or are only known for today."""

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One thing to learn from: SQL over a lead ``e`` and the scans of its plan. ``measured`` ones are expressions."""

    name: str
    sql: str
    measured: bool = False


def chosen(score: Score, types: Mapping[str, str], custom: Sequence[str]) -> tuple[str, ...]:
    """The fields that ``score`` learns from. Raises `ConfigError` for names that cannot be features.

    ``types`` are the SQL types of a lead's fields, ``custom`` the names of the workspace's own.
    """
    for key, names in (("features", score.features), ("known_after_outcome", score.known_after_outcome)):
        for name in names:
            _check_name(score, key, name, types)
    for name in score.measures:
        if name in types:
            raise ConfigError(f"{_place(score)}: measures.{name}: a lead has a field of that name; take another")
    if score.features:
        return score.features
    asked = named_in(score)
    own = [name for name in custom if types[name] not in ("date", "timestamp")]
    found = [name for name in (*USABLE, *own) if name in types and name not in asked]
    return tuple(name for name in found if kind_of(types[name]) is not None)


def compiled(plan: Plan, score: Score, fields: Sequence[str]) -> tuple[Feature, ...]:
    """The features of ``score`` as SQL, fields first. Raises `ConditionError` or `ConfigError` naming the measure."""
    types = plan.settings.entity.columns
    found = [Feature(name=name, sql=_typed(plan, f"e.{quote(name)}", kind_of(types[name]))) for name in fields]
    for name, text in score.measures.items():
        source = Source(text=text, where=f"{_place(score)}: measures.{name}")
        value = Checker(plan, Scope(plan.settings, source)).value(source.parse())
        found.append(Feature(name=name, sql=_typed(plan, sql_of(value, plan), value.kind), measured=True))
    if plan.scores or plan.segments:
        raise ConfigError(
            f"{_place(score)}: measures: stored scores and segments are known for today only",
            hint="Write the expression itself.",
        )
    if wrong := sorted({*plan.relations()} & set(PRESENT)):
        raise ConfigError(f"{_place(score)}: measures: {wrong[0]} come with the outcome, so they foretell nothing")
    return tuple(found)


def statement(plan: Plan, features: Sequence[Feature], *, one: bool = False) -> str:
    """A SELECT of lead_id and the features; with ``one`` of the lead bound as ``$key``."""
    return plan.statement([[f"{feature.sql} as {quote(feature.name)}" for feature in features]], one=one)


def named_in(score: Score) -> frozenset[str]:
    """The fields that the outcome is made of; they are never features."""
    texts = [text for text in (score.outcome.won, score.outcome.lost) if text]
    names = [column.name.lower() for text in texts for column in Source(text=text).parse().find_all(exp.Column)]
    more = [name for name in (score.outcome.field, score.outcome.at) if name]
    return frozenset([*names, *more])


def _check_name(score: Score, key: str, name: str, types: Mapping[str, str]) -> None:
    place = f"{_place(score)}: {key}"
    if name in score.measures:
        return
    if name not in types:
        raise ConfigError(f'{place}: a lead has no field "{name}".{nearest(name, types)}')
    if key == "features" and name in OUTCOME:
        raise ConfigError(f"{place}: {name} comes with the outcome, so it foretells nothing")
    if key == "features" and name in named_in(score):
        raise ConfigError(f"{place}: {name} is what [outcome] is made of")
    if kind_of(types[name]) is None:
        raise ConfigError(f"{place}: {name} is of a type that cannot be learned from")


def _typed(plan: Plan, sql: str, kind: Kind | None) -> str:
    if kind is None or kind == TEXT:
        return f"nullif(trim(cast({sql} as varchar)), '')"
    if kind == YES_NO:
        return f"cast({sql} as boolean)"
    if kind in (DATE, TIME):
        return f"(epoch({plan.now()}) - epoch(cast({sql} as timestamp))) / {DAY_S}"
    number = f"cast({sql} as double)"
    return f"case when isnan({number}) then null else {number} end"


def _place(score: Score) -> str:
    return f"scores/{score.name}.toml"
