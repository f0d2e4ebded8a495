"""Which entities a dataset's changes since an earlier commit may concern, told from the files alone.

The answer may name too many (a rewritten file holds old rows as well), never too few: rows of files that came or went
count, and for rows that may have moved from one entity to another both the old and the new one.
"""

from __future__ import annotations

from sfactl.schemas import Dataset
from sfactl.workspace.snapshot import ALIASES, DataFile, quoted, union
from sfactl.workspace.workspace import Workspace

LARGEST_SHARE = 0.3
"""When more of a dataset than this was rewritten, looking at all of it is as cheap."""


def changed_since(workspace: Workspace, dataset: str, link: str, since: int, seq: int) -> str | None:
    """A SELECT of ``link`` for every row of ``dataset`` that may differ between commits ``since`` and ``seq``.

    None where so much was rewritten, or so much of the past is gone, that all rows must be taken as changed.
    """
    schema = workspace.schemas[dataset]
    before = {f.id: f for f in workspace.snapshot(since).files(dataset)}
    after = {f.id: f for f in workspace.snapshot(seq).files(dataset)}
    moved = [after[i] for i in after.keys() - before.keys()] + [before[i] for i in before.keys() - after.keys()]
    renamed = _renamed(workspace, schema, link, since, seq)
    if not moved and renamed is None:
        return f"select cast(null as {schema.types[link]}) as {quoted(link)} where false"
    if sum(f.rows for f in moved) > LARGEST_SHARE * sum(f.rows for f in after.values()):
        return None
    if not all((workspace.private / f.path).exists() for f in before.values()):
        return None
    names = [quoted(name) for name in dict.fromkeys((*schema.key, link))]
    rows = _rows(workspace, schema, moved, names)
    if schema.kind == "event" and renamed is not None:
        return f"{_named_now(workspace, schema, rows, link, seq)} union all {renamed}" if moved else renamed
    if link in schema.key or schema.kind == "event":
        return f"select {quoted(link)} from ({rows})"
    same = " and ".join(f"s.{quoted(name)} = m.{quoted(name)}" for name in schema.key)
    states = " union all ".join(
        f"select s.{quoted(link)} from ({workspace.snapshot(at).select(dataset)}) as s"
        f" where exists (select 1 from ({rows}) as m where {same})"
        for at in (since, seq)
    )
    return f"select {quoted(link)} from ({states})"


def _renamed(workspace: Workspace, schema: Dataset, link: str, since: int, seq: int) -> str | None:
    """A SELECT of the numbers whose events may be another record's since: merged, survivor, and both when undone.

    None for state datasets, whose rows a merge moves, and where no record was ever merged.
    """
    entity = _entity(schema, link)
    if schema.kind == "state" or entity is None or not workspace.snapshot(seq).files(ALIASES):
        return None
    old, new = (
        f"select * from ({workspace.snapshot(at).stored(ALIASES)}) where entity = '{entity}'" for at in (since, seq)
    )
    moved = f"(({old}) except ({new})) union all (({new}) except ({old}))"
    return f"select unnest([id, root_id]) as {quoted(link)} from ({moved})"


def _named_now(workspace: Workspace, schema: Dataset, rows: str, link: str, seq: int) -> str:
    column = quoted(link)
    entity = _entity(schema, link)
    return (
        f"select coalesce(a.root_id, r.{column}) as {column} from ({rows}) as r left join"
        f" ({workspace.snapshot(seq).stored(ALIASES)}) as a on a.id = r.{column} and a.entity = '{entity}'"
    )


def _entity(schema: Dataset, link: str) -> str | None:
    return next((r.entity for r in schema.references if r.column == link), None)


def _rows(workspace: Workspace, schema: Dataset, files: list[DataFile], names: list[str]) -> str:
    kinds = ([f for f in files if f.kind == "delta"], [f for f in files if f.kind != "delta"])
    parts = [f"select {', '.join(names)} from ({union(workspace.private, schema, some)})" for some in kinds if some]
    return " union all ".join(parts)
