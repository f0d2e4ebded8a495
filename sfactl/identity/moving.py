"""Give every row that names a merged record to its survivor, and back again. Pure: schemas in, SQL out.

A row whose number is only a column gets another number there. A row that has the number in its key gets another key,
or is set aside where the survivor has a row with that key already. Each of them is written down with what it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sfactl.schemas import Dataset, Schemas
from sfactl.schemas.references import ENTITIES, Reference

WRITTEN_BY_MERGES = frozenset({"merges", "merge_moves", "record_aliases"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A state dataset whose rows name records of one entity, and the columns that do."""

    dataset: Dataset
    references: tuple[Reference, ...]

    @property
    def keyed(self) -> bool:
        """Whether the number is part of the key."""
        return any(r.column in self.dataset.key for r in self.references)

    @property
    def table(self) -> str:
        """The temporary table with the rows that move."""
        return f"moving_{self.dataset.name}"


def attached_to(schemas: Schemas, entity: str, *, kind: str = "state") -> list[Attached]:
    """All datasets of ``kind`` with rows that name records of ``entity``."""
    found = []
    for name in schemas:
        dataset = schemas[name]
        references = tuple(r for r in dataset.references if r.may_name(entity))
        if references and dataset.kind == kind and name not in WRITTEN_BY_MERGES:
            found.append(Attached(dataset=dataset, references=references))
    return found


def matches(dataset: Dataset, reference: Reference, entity: str, row: str, number: str) -> str:
    """SQL: the reference of ``row`` names ``number`` of ``entity``; numbers may be kept as text."""
    named = f'{row}."{reference.column}" = cast({number} as {dataset.types[reference.column]})'
    return f"{named} and {row}.\"{reference.by}\" = '{entity}'" if reference.by else named


def moving(attached: Attached, entity: str) -> str:
    """SELECT of the rows that name a merged record of ``pairs``, with ``_to_COLUMN`` and ``_merge_COLUMN``."""
    own = attached.dataset.name == ENTITIES[entity][0]
    joins, extra, any_of = [], [], []
    for i, reference in enumerate(attached.references):
        joins.append(
            f" left join pairs as p{i} on {matches(attached.dataset, reference, entity, 't', f'p{i}.merged_id')}"
        )
        extra.append(f'p{i}.survivor_id as "_to_{reference.column}", p{i}.merge_id as "_merge_{reference.column}"')
        any_of.append(f"p{i}.merge_id is not null")
    # The records that are merged now are written whole, with all that is to be said about them.
    outside = f' and t."{ENTITIES[entity][1]}" not in (select _id from members)' if own else ""
    rows = (
        f"select t.*, {', '.join(extra)} from {attached.dataset.name} as t{''.join(joins)}"
        f" where ({' or '.join(any_of)}){outside}"
    )
    return _with_fate(attached, rows) if attached.keyed else rows


def _with_fate(attached: Attached, rows: str) -> str:
    """``rows`` with ``_kept``: false where the survivor has a row with the key already, or another one takes it."""
    new = _new_values(attached, "n")
    there = " and ".join(f't."{k}" = {new.get(k, f"n.{quoted(k)}")}' for k in attached.dataset.key)
    keys = ", ".join(new.get(k, f"n.{quoted(k)}") for k in attached.dataset.key)
    first = " + ".join(f'coalesce(n."_merge_{r.column}", 0)' for r in attached.references)
    return (
        f"select n.*, not exists (select 1 from {attached.dataset.name} as t where {there})"
        f" and row_number() over (partition by {keys} order by {first}) = 1 as _kept from ({rows}) as n"
    )


def _new_values(attached: Attached, row: str) -> dict[str, str]:
    types = attached.dataset.types
    return {
        r.column: f'coalesce(cast({row}."_to_{r.column}" as {types[r.column]}), {row}."{r.column}")'
        for r in attached.references
    }


def moved_rows(attached: Attached) -> str:
    """SELECT of the rows of `moving` as they are afterwards, in the dataset's columns."""
    new = _new_values(attached, "t")
    cells = ", ".join(f'{new.get(c.name, f"t.{quoted(c.name)}")} as "{c.name}"' for c in attached.dataset.columns)
    return f"select {cells} from {attached.table} as t{' where t._kept' if attached.keyed else ''}"


def notes(attached: Attached) -> str:
    """SELECT of the rows of ``merge_moves`` for what `moving` moves. ``$now`` is the time of the merge."""
    action, row = "'moved'", "cast(null as varchar)"
    if attached.keyed:
        action, row = "case when t._kept then 'rekeyed' else 'set_aside' end", row_json(attached.dataset, "t")
    return " union all ".join(
        f'select cast($now as timestamp) as "at", t."_merge_{r.column}" as merge_id,'
        f" '{attached.dataset.name}' as dataset, {key_json(attached.dataset, 't')} as \"key\", '{r.column}' as field,"
        f' {action} as action, cast(t."{r.column}" as bigint) as old, t."_to_{r.column}" as new, {row} as "row"'
        f' from {attached.table} as t where t."_to_{r.column}" is not null'
        for r in attached.references
    )


def keys_of(attached: Attached) -> str:
    """SELECT of the keys that the rows of `moving` have before."""
    return f"select {', '.join(quoted(k) for k in attached.dataset.key)} from {attached.table}"


def row_json(dataset: Dataset, row: str) -> str:
    """SQL: the whole row as JSON; each value as text, so that none loses a digit on the way back."""
    return _json(row, (c.name for c in dataset.columns))


def key_json(dataset: Dataset, row: str) -> str:
    """SQL: the key of the row as JSON."""
    return _json(row, dataset.key)


def _json(row: str, names: Iterable[str]) -> str:
    cells = ", ".join(f"'{n}': cast({row}.{quoted(n)} as varchar)" for n in names)
    return f"cast(to_json({{{cells}}}) as varchar)"


def from_json(text: str, names: Iterable[str]) -> str:
    """SQL of a struct with the values of a JSON object as text; `typed` makes columns of it."""
    shape = ", ".join(f'"{n}": "VARCHAR"' for n in names)
    return f"from_json({text}, '{{{shape}}}')"


def typed(dataset: Dataset, struct: str, names: Iterable[str]) -> str:
    """SQL: the columns ``names`` of a struct of texts, in their types."""
    return ", ".join(f'cast({struct}."{n}" as {dataset.types[n]}) as "{n}"' for n in names)


def quoted(name: str) -> str:
    """``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
