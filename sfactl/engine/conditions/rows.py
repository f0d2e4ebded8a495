"""Conditions about single rows of a relation, as rules need them: one event, not one lead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from sfactl.engine.conditions.entity import Relation, relation_names, relation_of
from sfactl.engine.conditions.expressions import Checker
from sfactl.engine.conditions.moments import own_window_start
from sfactl.engine.conditions.plan import Plan, quote
from sfactl.engine.conditions.scans import Scan
from sfactl.engine.conditions.scope import Scope
from sfactl.engine.conditions.source import Source, nearest, operands


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFilter:
    """A condition on a row ``r`` of ``relation``: SQL terms joined by AND, and how far back its window reaches.

    ``scan`` is the relation's shared pass in the plan, which already leaves out rows later than now.
    """

    relation: Relation
    scan: Scan
    terms: tuple[str, ...]
    since: datetime | None

    @property
    def sql(self) -> str:
        """All terms as one expression."""
        return " and ".join(self.terms) or "true"


def relation_named(plan: Plan, name: str, where: str) -> Relation:
    """The relation ``name`` of the plan's entity. Raises `ConditionError` with the nearest name."""
    settings = plan.settings
    relation = relation_of(name, settings.entity, settings.schemas)
    if relation is None:
        known = relation_names(settings.entity, settings.schemas)
        raise Source(text=name, where=where).error(
            f'unknown relation "{name}" of {settings.entity.singular}.{nearest(name, known)}'
        )
    return relation


def row_filter(plan: Plan, relation: Relation, source: Source) -> RowFilter:
    """Check the text of ``source`` as a condition on one row of ``relation``; an empty text holds for every row."""
    scan = plan.scan(relation.dataset, relation.time)
    counting = plan.counting(relation)
    if not source.text.strip():
        return RowFilter(relation=relation, scan=scan, terms=counting, since=None)
    checker = Checker(plan, Scope(plan.settings, source, relation=relation, scan=scan))
    nodes = list(operands(source.parse(), exp.And))
    starts = [own_window_start(checker, node) for node in nodes]
    return RowFilter(
        relation=relation,
        scan=scan,
        terms=(*(checker.condition(node) for node in nodes), *counting),
        since=max((start for start in starts if start is not None), default=None),
    )


def time_sql(relation: Relation) -> str:
    """When a row ``r`` of ``relation`` happened."""
    return f"r.{quote(relation.time)}" if relation.time else "cast(null as timestamp)"
