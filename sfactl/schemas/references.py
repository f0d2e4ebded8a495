"""Which columns of a dataset name a lead, an account or a contact, so that a merge can follow all of them.

A column that has the name of an entity's key is a reference by that name alone; ``entity_id`` goes with the column
``entity``. Other names are declared in the dataset's ``[references]``, where ``none`` says that a number stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

ENTITIES: Mapping[str, tuple[str, str]] = {
    "lead": ("leads", "lead_id"),
    "account": ("accounts", "account_id"),
    "contact": ("contacts", "contact_id"),
}
"""Records that can be merged: entity → its dataset and key."""

BY_NAME: Mapping[str, str] = {key: entity for entity, (_, key) in ENTITIES.items()}
NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A column that names a record: always of ``entity``, or of the entity that the column ``by`` says."""

    column: str
    entity: str | None = None
    by: str | None = None

    def may_name(self, entity: str) -> bool:
        """Whether the column can hold a number of ``entity``."""
        return self.entity == entity or self.by is not None


def references_of(dataset: str, columns: Sequence[str], declared: Mapping[str, str]) -> tuple[Reference, ...]:
    """The references among ``columns``; the key of an entity's own dataset is none."""
    return tuple(_references(dataset, columns, declared))


def _references(dataset: str, columns: Sequence[str], declared: Mapping[str, str]) -> Iterable[Reference]:
    for column in columns:
        said = declared.get(column)
        if said == NONE:
            continue
        if said is not None and said.startswith("@"):
            yield Reference(column=column, by=said[1:])
        elif said is not None:
            yield Reference(column=column, entity=said)
        elif column == "entity_id" and "entity" in columns:
            yield Reference(column=column, by="entity")
        elif (entity := BY_NAME.get(column)) is not None and ENTITIES[entity][0] != dataset:
            yield Reference(column=column, entity=entity)
