"""Every column that names a record is known as a reference, and events name the record that is there since merges."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pytest

from sfactl.schemas import core_schemas
from sfactl.schemas.references import ENTITIES
from sfactl.session import Session
from sfactl.workspace.aliases import living, merged_into

NUMBERED = {"opportunity_id", "order_id", "quote_id", "cluster_id", "case_id", "contract_id"}
"""Numbers of things that are never merged."""


@pytest.mark.parametrize("name", list(core_schemas()))
def test_a_number_is_a_reference_or_says_that_it_is_none(name: str) -> None:
    schema = core_schemas()[name]
    known = {r.column for r in schema.references} | set(schema.declared)
    own = {key for dataset, key in ENTITIES.values() if dataset == name}
    numbers = {c.name for c in schema.columns if c.type == "bigint" and c.name.endswith("_id")}
    forgotten = {c for c in numbers - known - own - NUMBERED if not (c == "parent_id" and name == "opportunities")}
    assert forgotten == set(), f"declare it in [references] of {name}.toml: an entity, '@column', or 'none'"


@pytest.mark.parametrize("name", list(core_schemas()))
def test_a_declared_reference_is_a_column_and_an_entity(name: str) -> None:
    schema = core_schemas()[name]
    for column, said in schema.declared.items():
        assert column in schema.types
        assert said == "none" or said in ENTITIES or said.removeprefix("@") in schema.types


def append(session: Session, dataset: str, *rows: dict[str, object]) -> int:
    with session.write() as tx:
        schema = session.workspace.schemas[dataset].arrow()
        tx.append(dataset, pa.Table.from_pylist([{n: r.get(n) for n in schema.names} for r in rows], schema=schema))
        return tx.commit().seq or 0


def alias(session: Session, entity: str, old: int, new: int) -> int:
    with session.write("record_aliases") as tx:
        row = {"entity": entity, "id": old, "into_id": new, "root_id": new, "merge_id": 1}
        tx.upsert("record_aliases", pa.Table.from_pylist([row]))
        return tx.commit().seq or 0


def test_events_name_the_record_of_now_and_the_past_that_of_then(session: Session) -> None:
    at = datetime(2026, 5, 1)
    append(session, "touchpoints", {"event_id": "a", "at": at, "kind": "visit", "lead_id": 1, "account_id": 1})
    before = append(session, "stage_events", {"event_id": "b", "at": at, "entity": "lead", "entity_id": 1}, {"event_id": "c", "at": at, "entity": "opportunity", "entity_id": 1})  # fmt: skip
    alias(session, "lead", 1, 7)
    append(session, "touchpoints", {"event_id": "late", "at": at, "kind": "visit", "lead_id": 1})
    with session.query() as query:
        assert query.rows("select event_id, lead_id, account_id from touchpoints order by 1") == [
            ("a", 7, 1),
            ("late", 7, None),
        ]
        assert query.rows("select event_id, entity_id from stage_events order by 1") == [("b", 7), ("c", 1)]
        assert query.get("touchpoints", "a")["lead_id"] == 7
        assert (living(query, "lead", 1), living(query, "account", 1), living(query, "lead", 7)) == (7, 1, 7)
        assert merged_into(query, "lead", 7) == [1]
    with session.query(before) as query:
        assert query.rows("select lead_id from touchpoints") == [(1,)]
    with session.write("record_aliases") as tx:
        tx.delete("record_aliases", pa.table({"entity": ["lead"], "id": [1]}))
        tx.commit()
    with session.query() as query:
        assert query.rows("select distinct lead_id from touchpoints") == [(1,)], "what was written stayed as it was"
