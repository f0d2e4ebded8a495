"""Which entities a dataset's changes since an earlier commit may concern, told from the files alone.

The answer may name too many (a rewritten file holds old rows as well), never too few: rows of files that came or went
count, and for rows that may have moved from one entity to another both the old and the new one.
"""

from __future__ import annotations

from sfactl.schemas import Dataset
from sfactl.workspace.snapshot import DataFile, quoted, union
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
    if not moved:
        return f"select cast(null as {schema.types[link]}) as {quoted(link)} where false"
    if sum(f.rows for f in moved) > LARGEST_SHARE * sum(f.rows for f in after.values()):
        return None
    if not all((workspace.private / f.path).exists() for f in before.values()):
        return None
    names = [quoted(name) for name in dict.fromkeys((*schema.key, link))]
    rows = _rows(workspace, schema, moved, names)
    if link in schema.key or schema.kind == "event":
        return f"select {quoted(link)} from ({rows})"
    same = " and ".join(f"s.{quoted(name)} = m.{quoted(name)}" for name in schema.key)
    states = " union all ".join(
        f"select s.{quoted(link)} from ({workspace.snapshot(at).select(dataset)}) as s"
        f" where exists (select 1 from ({rows}) as m where {same})"
        for at in (since, seq)
    )
    return f"select {quoted(link)} from ({states})"


def _rows(workspace: Workspace, schema: Dataset, files: list[DataFile], names: list[str]) -> str:
    kinds = ([f for f in files if f.kind == "delta"], [f for f in files if f.kind != "delta"])
    parts = [f"select {', '.join(names)} from ({union(workspace.private, schema, some)})" for some in kinds if some]
    return " union all ".join(parts)
