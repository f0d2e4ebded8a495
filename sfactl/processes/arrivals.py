"""Compile a journey into one statement that answers, for each lead, when it came to each node."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sfactl.engine.conditions.compile import settings_of
from sfactl.engine.conditions.expressions import Checker
from sfactl.engine.conditions.kinds import DATE, TIME
from sfactl.engine.conditions.model import SchemaLookup
from sfactl.engine.conditions.plan import Plan
from sfactl.engine.conditions.scope import Scope
from sfactl.engine.conditions.source import Source
from sfactl.engine.conditions.typed import Typed, sql_of
from sfactl.processes.journey import FOLDER, Journey, Node

MICROS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The names that conditions may use: segments, scores, and tags (None: unchecked)."""

    segments: Collection[str]
    scores: Collection[str]
    tags: Collection[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """A SELECT of lead_id and, for node n from 1, ``_t{n}`` (when it was come to by its own data; null if never) and
    ``_h{n}`` (whether its ``where`` holds). ``among_sql`` is about the leads in the table ``candidates`` only."""

    sql: str
    among_sql: str
    params: Mapping[str, object]
    relations: tuple[str, ...]


def compiled(journey: Journey, *, schemas: SchemaLookup, now: datetime, zone: str, known: Known) -> Arrivals:
    """Compile ``journey`` for the time ``now`` (naive UTC). Raises `ConditionError` with file, key and position."""
    plan = Plan(settings_of("leads", schemas, now, known.segments, known.scores, known.tags))
    columns = []
    for place, node in enumerate(journey.nodes, start=1):
        where = f"{FOLDER}/{journey.name}.toml: nodes[{place - 1}]"
        columns += [f"{_moment(plan, node, where, zone)} as _t{place}", f"{_holds(plan, node, where)} as _h{place}"]
    sql, among = plan.statement([columns]), plan.statement([columns], among=True)
    return Arrivals(sql=sql, among_sql=among, params=plan.used(sql), relations=plan.relations())


def _moment(plan: Plan, node: Node, where: str, zone: str) -> str:
    source = Source(text=node.reached, where=f"{where}.reached")
    found = _value(plan, source)
    if found.kind not in (DATE, TIME):
        raise source.error(f"a time or a day is needed, such as min(orders.at), but this is {found.kind.phrase}", at=0)
    sql = f"cast({sql_of(found, plan)} as timestamp)"
    if found.kind == DATE:
        quoted = zone.replace("'", "''")
        sql = f"timezone('UTC', timezone('{quoted}', {sql}))"
    shift = node.shift
    if shift.months:
        sql += f" + to_months({shift.months})"
    if shift.seconds:
        sql += f" + to_microseconds({shift.seconds * MICROS})"
    return sql


def _holds(plan: Plan, node: Node, where: str) -> str:
    if not node.where.strip():
        return "true"
    source = Source(text=node.where, where=f"{where}.where")
    try:
        test = Checker(plan, Scope(plan.settings, source)).condition(source.parse())
    except RecursionError:
        raise source.error("the condition is nested too deeply", at=0) from None
    return f"coalesce({test}, false)"


def _value(plan: Plan, source: Source) -> Typed:
    try:
        return Checker(plan, Scope(plan.settings, source)).value(source.parse())
    except RecursionError:
        raise source.error("the expression is nested too deeply", at=0) from None
