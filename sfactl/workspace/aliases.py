"""What a record's number means since merges: itself, or the record that it was merged into."""

from __future__ import annotations

from sfactl.engine.duck import Query
from sfactl.workspace.snapshot import ALIASES

__all__ = ["ALIASES", "living", "merged_into"]


def living(query: Query, entity: str, number: int) -> int:
    """The number of the record that ``number`` of ``entity`` means now; itself where it was never merged."""
    found = query.get(ALIASES, entity, number)
    return number if found is None else int(found["root_id"])


def merged_into(query: Query, entity: str, number: int) -> list[int]:
    """The numbers of the records that went into the living record ``number``."""
    sql = f"select id from {ALIASES} where entity = $entity and root_id = $number order by id"
    return [int(row[0]) for row in query.rows(sql, {"entity": entity, "number": number})]
