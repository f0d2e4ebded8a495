"""Turn a process file into one statement that answers its events: checked against the schemas, literals bound.

A row is an event where its case and time are known; rows later than now are not seen. A dataset is linked by keys only,
never by names or likeness.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from sfactl.api.errors import ConfigError
from sfactl.engine.conditions.entity import Relation
from sfactl.engine.conditions.expressions import Checker
from sfactl.engine.conditions.model import Entity, SchemaLookup, Settings
from sfactl.engine.conditions.plan import Plan, quote
from sfactl.engine.conditions.scope import Scope
from sfactl.engine.conditions.source import Source, nearest, operands
from sfactl.processes.model import Activity, Process, Way

MOMENTS = {"date": True, "timestamp": False}
"""Types that say when, and whether they say only the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A SELECT with its parameters, and the datasets it reads.

    Columns: ``number`` (place of the activity, from 1), ``case_id`` (text; null where the row is tied to no case),
    ``told_at`` and ``told_on`` (a moment, or only a day), ``actor``, ``dataset``, ``row_key``.
    """

    sql: str
    params: Mapping[str, object]
    relations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reached:
    """A column at the end of a way: its SQL, its type, and the joins that lead there."""

    sql: str
    type: str
    joins: tuple[tuple[str, str, str], ...]


def statement(process: Process, *, schemas: SchemaLookup, now: datetime, where: str) -> Statement:
    """The events of ``process`` up to ``now`` (naive UTC); ``where`` is the file, for messages. Raises `ConfigError`
    and `ConditionError`."""
    # A row's condition knows the row alone: the entity is there only because a plan needs one.
    nobody = Entity(dataset="", singular="row", key=("_",), link=None)
    plan = Plan(Settings(entity=nobody, schemas=schemas, now=now, zone=schemas.zone))
    plan.now()
    parts = []
    read: set[str] = set()
    for number, activity in enumerate(process.activities, start=1):
        at = f"{where}: activities[{number - 1}]"
        sql, used = _activity(plan, activity, number, at)
        parts.append(sql)
        read |= used
    sql = "\nunion all\n".join(parts)
    return Statement(sql=sql, params=plan.used(sql), relations=tuple(sorted(read)))


def _activity(plan: Plan, activity: Activity, number: int, at: str) -> tuple[str, set[str]]:
    schemas = plan.settings.schemas
    name = activity.dataset
    if name not in schemas:
        raise ConfigError(f"{at}.from: there is no dataset {name!r}.{nearest(name, schemas)}")
    schema = schemas[name]
    case = _reach(schemas, name, activity.case, f"{at}.case", "c")
    time = _reach(schemas, name, activity.time, f"{at}.time", "t")
    if time.type not in MOMENTS:
        raise ConfigError(f"{at}.time: {_said(activity.time)} is {time.type}, but a date or a time is needed")
    actor = _reach(schemas, name, activity.actor, f"{at}.actor", "a").sql if activity.actor else "null"
    moment, day = ("null", time.sql) if MOMENTS[time.type] else (time.sql, "null")
    key = " || '/' || ".join(f"cast(r.{quote(column)} as varchar)" for column in schema.key)
    terms = [f"{time.sql} is not null", f"{time.sql} <= {plan.now()}", *_terms(plan, activity, f"{at}.where")]
    joins = "".join(
        f"\n  left join {dataset} as {alias} on {on}"
        for dataset, alias, on in dict.fromkeys((*case.joins, *time.joins))
    )
    sql = (
        f"select {number} as number, cast({case.sql} as varchar) as case_id, cast({moment} as timestamp) as told_at,"
        f" cast({day} as date) as told_on, cast({actor} as varchar) as actor, '{name}' as dataset, {key} as row_key\n"
        f"  from {name} as r{joins}\n  where {' and '.join(terms)}"
    )
    if activity.take != "each":
        order = "desc" if activity.take == "last" else "asc"
        ranked = f"row_number() over (partition by {case.sql} order by {time.sql} {order}, {key} {order})"
        # Rows of no case stay one by one: they are counted, not ordered.
        sql += f"\n  qualify {case.sql} is null or {ranked} = 1"
    return sql, {name, *(dataset for dataset, _, _ in (*case.joins, *time.joins))}


def _terms(plan: Plan, activity: Activity, where: str) -> list[str]:
    if not activity.where.strip():
        return []
    schema = plan.settings.schemas[activity.dataset]
    relation = Relation(dataset=activity.dataset, time=schema.time, columns=dict(schema.types))
    source = Source(text=activity.where, where=where)
    checker = Checker(plan, Scope(plan.settings, source, relation=relation))
    try:
        return [checker.condition(node) for node in operands(source.parse(), exp.And)]
    except RecursionError:
        raise source.error("the condition is nested too deeply", at=0) from None


def _reach(schemas: SchemaLookup, dataset: str, way: Way, where: str, prefix: str) -> _Reached:
    """Follow ``way`` from a row ``r`` of ``dataset``: each hop goes to the row whose key is the value so far."""
    first, *hops = (way,) if isinstance(way, str) else way
    types = schemas[dataset].types
    _need(first, types, dataset, where)
    sql, kind = f"r.{quote(first)}", types[first]
    joins = []
    for place, hop in enumerate(hops, start=1):
        target, _, column = hop.partition(".")
        if target not in schemas:
            raise ConfigError(f"{where}: {hop!r}: there is no dataset {target!r}.{nearest(target, schemas)}")
        schema = schemas[target]
        if len(schema.key) != 1:
            raise ConfigError(
                f"{where}: {hop!r}: one value does not name a row of {target}, whose key is {', '.join(schema.key)}"
            )
        _need(column, schema.types, target, where)
        key = schema.key[0]
        if schema.types[key] != kind:
            raise ConfigError(
                f"{where}: {hop!r}: the value before is {kind}, but {target}.{key} is {schema.types[key]}"
            )
        alias = f"{prefix}{place}"
        joins.append((target, alias, f"{alias}.{quote(key)} = {sql}"))
        sql, kind = f"{alias}.{quote(column)}", schema.types[column]
    return _Reached(sql=sql, type=kind, joins=tuple(joins))


def _need(column: str, types: Mapping[str, str], dataset: str, where: str) -> None:
    if column not in types:
        raise ConfigError(f"{where}: {dataset} has no column {column!r}.{nearest(column, types)}")


def _said(way: Way) -> str:
    return repr(way) if isinstance(way, str) else " → ".join(way)
