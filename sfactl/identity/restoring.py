"""Give back what a merge took: the SQL that finds rows which still are as the merge left them. Pure.

The statements read ``notes`` (the rows of ``merge_moves`` of the merge) and take ``$root``, the living record that the
survivor is today. What somebody changed or moved since is left where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sfactl.identity.moving import from_json, quoted, typed
from sfactl.schemas import Dataset

Live = Callable[[Mapping[str, str | None]], Mapping[str, str | None] | None]
"""The row that has a key today, as text; None where there is none."""


def moved_back(dataset: Dataset, fields: Sequence[str], others: str) -> str:
    """SELECT of the rows whose column named the survivor since the merge, as they were; ``others`` tests them."""
    olds = ", ".join(f"max(case when field = '{f}' then old end) as \"_old_{f}\"" for f in fields)
    keys = typed(dataset, "k", dataset.key)
    key = from_json(quoted("key"), dataset.key)
    named = ", ".join(f'"_old_{f}"' for f in fields)
    there = " or ".join(f'(u."_old_{f}" is not null and t."{f}" = {_root(dataset, f)})' for f in fields)
    cells = ", ".join(
        f'case when u."_old_{c.name}" is not null and t."{c.name}" = {_root(dataset, c.name)}'
        f' then cast(u."_old_{c.name}" as {c.type}) else t."{c.name}" end as "{c.name}"'
        if c.name in fields
        else f't."{c.name}"'
        for c in dataset.columns
    )
    return (
        f"with u as (select {keys}, {named} from"
        f" (select {key} as k, {olds} from notes"
        f" where dataset = '{dataset.name}' and action = 'moved' group by \"key\"))"
        f" select {cells} from {dataset.name} as t join u on {_same(dataset, 't', 'u')} where ({there}) and {others}"
    )


def _root(dataset: Dataset, column: str) -> str:
    return f"cast($root as {dataset.types[column]})"


def _same(dataset: Dataset, one: str, other: str) -> str:
    return " and ".join(f'{one}."{k}" = {other}."{k}"' for k in dataset.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What ``merge_moves`` says of one row whose number is part of its key; key and row as text by column.

    ``fields`` are the columns that named the merged record, with the number that each got.
    """

    merge_id: int
    fields: Mapping[str, int]
    set_aside: bool
    key: Mapping[str, str]
    row: Mapping[str, str | None]

    def left(self, row: Mapping[str, str | None]) -> dict[str, str | None]:
        """``row`` as the merge left it."""
        return {**row, **{name: str(number) for name, number in self.fields.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """What is to be done for one keyed row: give it back, perhaps take out the one it became, forget later notes."""

    row: Mapping[str, str | None] | None
    gone: Mapping[str, str | None] | None
    forgotten: tuple[Note, ...]


def keyed_back(note: Note, later: Sequence[Note], key: Sequence[str], live: Live) -> Keyed:
    """Follow a row with the number in its key through the ``later`` notes to where it is today.

    A later merge may have moved it on, or set it aside; what that merge noted of it is no longer its own to give back.
    """
    if note.set_aside:
        return Keyed(row=note.row, gone=None, forgotten=())
    row = note.left(note.row)
    forgotten: list[Note] = []
    for other in later:
        if other.merge_id > note.merge_id and other.key == {k: row[k] for k in key}:
            if other.row != row:  # changed meanwhile: it is the survivor's own by now
                return Keyed(row=note.row, gone=None, forgotten=tuple(forgotten))
            forgotten.append(other)
            if other.set_aside:
                return Keyed(row=note.row, gone=None, forgotten=tuple(forgotten))
            row = other.left(row)
    there = live({k: row[k] for k in key})
    back = note.row if there is not None else None
    return Keyed(row=back, gone=row if there == row else None, forgotten=tuple(forgotten))


def added_keys(dataset: Dataset) -> str:
    """SELECT of the keys of rows that the merge added and that say the same still: they go. With their ``note_key``."""
    names = [c.name for c in dataset.columns]
    named = [r.column for r in dataset.references]
    mine = [f't."{n}" is not distinct from {_root(dataset, n) if n in named else f"a.{quoted(n)}"}' for n in names]
    row = from_json(quoted("row"), names)
    return (
        f"select {', '.join(f't.{quoted(k)}' for k in dataset.key)}, a.note_key from {dataset.name} as t join"
        f' (select {typed(dataset, "r", names)}, note_key from (select {row} as r, "key" as note_key from notes'
        f" where dataset = '{dataset.name}' and action = 'added')) as a on {_same(dataset, 't', 'a')}"
        f" where {' and '.join(mine)}"
    )
