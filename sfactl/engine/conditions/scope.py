"""Resolve names: which column of the entity or of the relation at hand a name means, and what to say if none."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from sfactl.engine.conditions.entity import Relation, relation_names, relation_of
from sfactl.engine.conditions.kinds import kind_of
from sfactl.engine.conditions.model import Settings
from sfactl.engine.conditions.plan import quote
from sfactl.engine.conditions.scans import Scan
from sfactl.engine.conditions.source import Source, nearest
from sfactl.engine.conditions.typed import Typed

SCORE = "score"
LAYER = "layer"


class Scope:
    """The names visible at one place of a condition.

    Outside of aggregates these are the entity's fields. Inside a FILTER a bare name is the relation's column first and
    the entity's field second; ``leads.country`` always means the entity's.
    """

    def __init__(
        self, settings: Settings, source: Source, *, relation: Relation | None = None, scan: Scan | None = None
    ) -> None:
        self.settings = settings
        self.source = source
        self.relation = relation
        self.scan = scan

    @property
    def inside(self) -> bool:
        """Whether this is the inside of an aggregate."""
        return self.relation is not None

    def time(self, node: exp.Expr) -> Typed | None:
        """When a row of the relation at hand happened, or None outside or where its rows have no time."""
        if self.relation is None or self.relation.time is None:
            return None
        kind = kind_of(self.relation.columns[self.relation.time])
        return Typed(kind=kind, node=node, sql=f"r.{quote(self.relation.time)}") if kind else None

    def column(self, node: exp.Column) -> Typed:
        """The value of a name. Raises `ConditionError` with the nearest name."""
        parts = [part.name for part in node.parts]
        name = parts[-1].lower()
        if len(parts) > 2:
            raise self.source.error(f'"{".".join(parts)}" has too many parts', node=node)
        if len(parts) == 2:
            return self._qualified(node, parts[0].lower(), name)
        if self.relation and name in self.relation.columns:
            return self._of_relation(node, name)
        if name in self.settings.entity.columns:
            return self._of_entity(node, name)
        raise self._unknown(node, parts[-1])

    def _qualified(self, node: exp.Column, table: str, name: str) -> Typed:
        entity = self.settings.entity
        if table in (entity.dataset, entity.singular.replace(" ", "_")):
            if name not in entity.columns:
                raise self._unknown_field(node.this, name, entity.singular, entity.columns)
            return self._of_entity(node, name)
        if self.relation and table == self.relation.dataset:
            if name not in self.relation.columns:
                raise self._unknown_field(node.this, name, table, self.relation.columns)
            return self._of_relation(node, name)
        if relation_of(table, entity, self.settings.schemas):
            if self.relation:
                inside = f"inside an aggregate over {self.relation.dataset}"
                raise self.source.error(f'"{table}.{name}" cannot be used {inside}', node=node)
            raise self.source.error(
                f'"{table}.{name}" has many values. Put count, sum, avg, min, max or has around it', node=node
            )
        known = [entity.dataset, SCORE, LAYER, *relation_names(entity, self.settings.schemas)]
        raise self.source.error(f'unknown relation "{table}".{nearest(table, known)}', node=node)

    def _of_relation(self, node: exp.Column, name: str) -> Typed:
        assert self.relation is not None
        kind = kind_of(self.relation.columns[name])
        if kind is None:
            raise self.source.error(f'"{name}" is of a type that conditions cannot use', node=node)
        return Typed(kind=kind, node=node, sql=f"r.{quote(name)}")

    def _of_entity(self, node: exp.Column, name: str) -> Typed:
        kind = kind_of(self.settings.entity.columns[name])
        if kind is None:
            raise self.source.error(f'"{name}" is of a type that conditions cannot use', node=node)
        if self.scan is not None:
            self.scan.reads_entity = True
        return Typed(kind=kind, node=node, sql=f"e.{quote(name)}", column=None if self.inside else name)

    def _unknown(self, node: exp.Column, name: str) -> Exception:
        entity = self.settings.entity
        if self.relation:
            known = [*self.relation.columns, *entity.columns]
            return self._unknown_field(node, name, f"{self.relation.dataset} or {entity.singular}", known)
        if relation_of(name.lower(), entity, self.settings.schemas):
            return self.source.error(
                f'"{name}" has many rows. Ask with count({name}) or has({name}), or sum, avg, min, max of a column',
                node=node,
            )
        return self._unknown_field(node, name, entity.singular, entity.columns)

    def _unknown_field(self, node: exp.Expr, name: str, owner: str, known: Iterable[str]) -> Exception:
        return self.source.error(f'unknown field "{name}" of {owner}.{nearest(name, known)}', node=node)
