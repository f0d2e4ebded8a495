"""Compile an expression that answers a number for each entity, such as an expected value."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sfactl.engine.conditions.compile import settings_of
from sfactl.engine.conditions.expressions import Checker
from sfactl.engine.conditions.kinds import DOUBLE
from sfactl.engine.conditions.model import SchemaLookup
from sfactl.engine.conditions.plan import Plan
from sfactl.engine.conditions.scope import Scope
from sfactl.engine.conditions.source import Source
from sfactl.engine.conditions.typed import number_sql

NUMBER = "number"
"""The column of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledNumber:
    """A statement that answers the entity's key and a DOUBLE in the column `NUMBER`, null where it is not known.

    ``among_sql`` is the same about the entities in the table `AMONG` only.
    """

    sql: str
    among_sql: str
    params: Mapping[str, object]
    relations: tuple[str, ...]


def compile_number(
    text: str,
    *,
    entity: str = "leads",
    schemas: SchemaLookup,
    now: datetime,
    where: str = "",
    segments: Collection[str] | None = None,
    scores: Collection[str] | None = None,
    tags: Collection[str] | None = None,
) -> CompiledNumber:
    """Compile ``text``, for instance ``coalesce(sum(orders.amount), budget * 0.4)``. Raises `ConditionError`."""
    plan = Plan(settings_of(entity, schemas, now, segments, scores, tags))
    source = Source(text=text, where=where)
    try:
        found = Checker(plan, Scope(plan.settings, source)).value(source.parse())
    except RecursionError:
        raise source.error("the expression is nested too deeply", at=0) from None
    if found.kind.name != "number":
        raise source.error(f"a number is needed, but this is {found.kind.phrase}", at=0)
    columns = [[f"cast({number_sql(found, DOUBLE, plan)} as double) as {NUMBER}"]]
    sql, among_sql = plan.statement(columns), plan.statement(columns, among=True)
    return CompiledNumber(sql=sql, among_sql=among_sql, params=plan.used(sql), relations=plan.relations())
