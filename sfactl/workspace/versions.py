"""Every version that the rows of a state dataset ever had, with the commit that wrote it.

Told from the files alone: those that merging made hold nothing new and are left out. What was erased, or whose files
were collected, is gone from here as well.
"""

from __future__ import annotations

from datetime import datetime

from sfactl.workspace.manifest import from_micros
from sfactl.workspace.snapshot import DataFile, quoted, read_files, union
from sfactl.workspace.workspace import Workspace


def versions_of(workspace: Workspace, dataset: str, seq: int) -> tuple[str, dict[int, datetime]]:
    """A SELECT of the versions up to commit ``seq``, and the time of each commit that wrote one.

    It answers the columns of ``dataset``, ``_rank`` (later versions have greater ones), ``_seq`` and ``_deleted``.
    """
    schema = workspace.schemas[dataset]
    files = read_files(
        workspace.manifest,
        "f.dataset = ? and f.added_seq <= ? and f.added_seq in (select seq from commits where op <> 'compact')",
        dataset,
        seq,
    )
    kept = [f for f in files if (workspace.private / f.path).exists()]
    names = ", ".join(quoted(c.name) for c in schema.columns)
    parts = []
    if deltas := [f for f in kept if f.kind == "delta"]:
        rows = union(workspace.private, schema, deltas)
        parts.append(f"select {names}, _rank, cast(substr(_rank, 1, 12) as bigint) as _seq, _deleted from ({rows})")
    for base in (f for f in kept if f.kind != "delta"):
        rows = union(workspace.private, schema, [base])
        parts.append(
            f"select {names}, '{base.rank}' as _rank, {base.added_seq} as _seq, false as _deleted from ({rows})"
        )
    if not parts:
        parts.append(_nothing(names, union(workspace.private, schema, [])))
    return " union all ".join(parts), _times(workspace, kept)


def _nothing(names: str, rows: str) -> str:
    return f"select {names}, '' as _rank, cast(0 as bigint) as _seq, false as _deleted from ({rows})"


def _times(workspace: Workspace, files: list[DataFile]) -> dict[int, datetime]:
    seqs = {f.added_seq for f in files}
    return {seq: from_micros(at) for seq, at in workspace.manifest.rows("select seq, at from commits") if seq in seqs}
