"""The rows behind a condition: for each aggregate that a term asks, the rows of one entity that it counted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from sfactl.engine.conditions import sequences
from sfactl.engine.conditions.aggregates import NAMES, filter_terms
from sfactl.engine.conditions.compile import settings_of
from sfactl.engine.conditions.entity import Relation, relation_of
from sfactl.engine.conditions.explain import term_texts
from sfactl.engine.conditions.expressions import Checker
from sfactl.engine.conditions.model import SchemaLookup
from sfactl.engine.conditions.plan import KEY_PARAMETER, Plan, quote
from sfactl.engine.conditions.rows import time_sql
from sfactl.engine.conditions.scope import Scope
from sfactl.engine.conditions.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A statement that answers the rows of ``relation`` that a term looked at, newest first; the key is ``$key``."""

    term: str
    relation: str
    sql: str
    params: Mapping[str, object]


def evidence(
    text: str,
    *,
    entity: str = "leads",
    schemas: SchemaLookup,
    now: datetime,
    where: str = "",
    segments: Collection[str] | None = None,
    scores: Collection[str] | None = None,
    limit: int = 5,
) -> tuple[Evidence, ...]:
    """One statement for each aggregate in ``text``, in its order. Raises `ConditionError`."""
    source = Source(text=text, where=where)
    found = []
    for node, term in term_texts(source, source.parse()):
        for argument, condition in _aggregates(node):
            plan = Plan(settings_of(entity, schemas, now, segments, scores))
            relation = relation_of(argument.parts[0].name.lower(), plan.settings.entity, schemas)
            if relation is None:
                continue
            sql = rows_sql(plan, source, relation, condition, limit)
            found.append(Evidence(term=term, relation=relation.dataset, sql=sql, params=plan.used(sql)))
    return tuple(found)


def _aggregates(node: exp.Expr) -> Iterator[tuple[exp.Column, exp.Expr | None]]:
    """Each aggregate below ``node``: what it is about, and its filter."""
    for call in node.walk(bfs=False):
        inner = call.this if isinstance(call, exp.Filter) else call
        if isinstance(call.parent, exp.Filter) and call.parent.this is call:
            continue
        has = isinstance(inner, exp.Anonymous) and str(inner.this).lower() == "has"
        if not has and type(inner) not in NAMES:
            continue
        argument = inner.expressions[0] if has else inner.this
        columns = list(argument.find_all(exp.Column))
        named = [column for column in columns if len(column.parts) > 1] or columns
        if named:
            yield named[0], call.expression.this if isinstance(call, exp.Filter) else None


def rows_sql(plan: Plan, source: Source, relation: Relation, condition: exp.Expr | None, limit: int) -> str:
    """The rows of ``relation`` that meet ``condition``, of the entity bound as ``$key``, newest first."""
    entity = plan.settings.entity
    link = quote(entity.link or "")
    checker = Checker(plan, Scope(plan.settings, source))
    if condition is not None and sequences.asked(condition):
        terms: tuple[str, ...] = (sequences.chosen(checker, relation, condition),)
    else:
        terms, _ = filter_terms(checker, relation, condition)
    at = time_sql(relation)
    seen = [f"r.{link} = ${KEY_PARAMETER}", *terms]
    if relation.time:
        seen.append(f"{at} <= {plan.now()}")
    order = f" order by {at} desc" if relation.time else ""
    return (
        f"select r.* from {relation.dataset} as r join {entity.dataset} as e on e.{link} = r.{link}"
        f" where {' and '.join(seen)}{order} limit {int(limit)}"
    )
