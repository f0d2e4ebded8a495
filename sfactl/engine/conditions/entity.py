"""Which entities a condition may be about, and which datasets are relations of them."""

from __future__ import annotations

from dataclasses import dataclass

from sfactl.api.errors import NotFound
from sfactl.engine.conditions.model import DatasetSchema, Entity, SchemaLookup
from sfactl.engine.conditions.source import nearest

SINGULAR = {
    "leads": "lead",
    "accounts": "account",
    "contacts": "contact",
    "opportunities": "opportunity",
    "quotes": "quote",
    "quote_lines": "quote line",
    "orders": "order",
    "order_lines": "order line",
    "products": "product",
    "tasks": "task",
    "receivables": "receivable",
}
"""The datasets that conditions may be about, and what one row of each is called."""

TIMES = ("at", "created_at", "since", "as_of", "planned_at", "updated_at")
"""Where a dataset states no time of its own, the first of these columns says when a row happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A dataset whose rows point to an entity: its columns, and those that say when a row happened and until when it
    counts."""

    dataset: str
    time: str | None
    columns: dict[str, str]
    until: str | None = None


def entity_of(name: str, schemas: SchemaLookup) -> Entity:
    """The entity of dataset ``name``; raises `NotFound` with the nearest name."""
    if name not in SINGULAR:
        raise NotFound(f"conditions cannot be about {name!r}.{nearest(name, SINGULAR)}")
    schema = schemas[name]
    link = schema.key[0] if len(schema.key) == 1 else None
    return Entity(dataset=name, singular=SINGULAR[name], key=schema.key, link=link, columns=dict(schema.types))


def relation_of(name: str, entity: Entity, schemas: SchemaLookup) -> Relation | None:
    """The relation ``name`` of ``entity``, or None where that dataset does not exist or does not point to it."""
    if entity.link is None or name == entity.dataset or name not in schemas:
        return None
    schema = schemas[name]
    if entity.link not in schema.types:
        return None
    return Relation(dataset=name, time=time_column(schema), columns=dict(schema.types), until=schema.until)


def relation_names(entity: Entity, schemas: SchemaLookup) -> list[str]:
    """All relations of ``entity``."""
    return [name for name in schemas if relation_of(name, entity, schemas)]


def time_column(schema: DatasetSchema) -> str | None:
    """The column that says when a row happened."""
    if schema.time:
        return schema.time
    return next((name for name in TIMES if schema.types.get(name) == "timestamp"), None)
