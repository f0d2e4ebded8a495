"""Merge small files, so that reading stays fast. It changes no row, may be killed at any time, and needs no lock.

It reads a snapshot and replaces exactly the files it read; a delta committed meanwhile stays live and wins by its rank.
The loser of two compactions gets a conflict and leaves it at that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sfactl.api.errors import Conflict
from sfactl.schemas import Dataset
from sfactl.workspace.snapshot import DataFile, merged, quoted, union
from sfactl.workspace.stage import stage
from sfactl.workspace.transaction import Author, key_list
from sfactl.workspace.workspace import Workspace

MAX_DELTAS = 16
MAX_SMALL_EVENTS = 24
SMALL_ROWS = 20_000
DELTA_SHARE = 0.1
OP = "compact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What was done to one dataset."""

    dataset: str
    files_before: int
    files_after: int
    rows: int


def tidy(workspace: Workspace, author: Author) -> list[Compacted]:
    """Compact the datasets that the last commit left with too many files; losing a race is no error."""
    done = []
    for dataset, deltas, delta_rows, base_rows, small in _crowded(workspace):
        full = delta_rows > max(SMALL_ROWS, DELTA_SHARE * base_rows) and delta_rows * 4 > base_rows
        if deltas > MAX_DELTAS or small > MAX_SMALL_EVENTS or full:
            try:
                done.append(compact(workspace, author, dataset, full=full))
            except Conflict:
                continue
    return done


def _crowded(workspace: Workspace) -> list[tuple[str, int, int, int, int]]:
    return [
        (str(r[0]), int(r[1]), int(r[2]), int(r[3]), int(r[4]))
        for r in workspace.manifest.rows(
            "select dataset, sum(kind = 'delta'), sum(iif(kind = 'delta', rows, 0)), sum(iif(kind = 'base', rows, 0)),"
            " sum(kind = 'event' and rows < ?) from files where removed_seq is null group by dataset",
            SMALL_ROWS,
        )
        if r[1] > 1 or r[4] > 1
    ]


def compact(workspace: Workspace, author: Author, dataset: str, *, full: bool) -> Compacted:
    """Compact one dataset: ``full`` makes one base of everything, else only small files are merged.

    Raises `Conflict` when another compaction was faster.
    """
    schema = workspace.schemas[dataset]
    with workspace.transaction(author, op=OP) as tx:
        files = workspace.snapshot(tx.query.seq).files(dataset)
        chosen = _choice(schema, files, full=full)
        if len(chosen) < 2 and not (full and any(f.kind == "delta" or f.version < schema.version for f in chosen)):
            return Compacted(dataset=dataset, files_before=len(files), files_after=len(files), rows=0)
        sql, kind, rank = _rewrite(workspace, schema, chosen, full=full)
        staged = stage(tx.staging(), tx.query, schema, sql, None, kind=kind, rank=rank)
        tx.adopt([staged] if staged else [], [f.id for f in chosen])
        tx.commit(dataset=dataset, files=len(chosen))
    after = len(files) - len(chosen) + (1 if staged else 0)
    rows = staged.rows if staged else 0
    return Compacted(dataset=dataset, files_before=len(files), files_after=after, rows=rows)


def _choice(schema: Dataset, files: Sequence[DataFile], *, full: bool) -> list[DataFile]:
    if full:
        return list(files)
    if schema.kind == "state":
        return [f for f in files if f.kind == "delta"]
    return [f for f in files if f.rows < SMALL_ROWS]


def _rewrite(
    workspace: Workspace, schema: Dataset, files: Sequence[DataFile], *, full: bool
) -> tuple[str, str, str | None]:
    """The SELECT, the kind and the rank of the file that replaces ``files``."""
    if schema.kind == "event":
        return merged(workspace.private, schema, files), "event", None
    if full:
        return merged(workspace.private, schema, files), "base", None
    names = ", ".join(quoted(c.name) for c in schema.columns)
    newest = (
        f"select {names}, _deleted from ({union(workspace.private, schema, files)})"
        f" qualify row_number() over (partition by {key_list(schema)} order by _rank desc) = 1"
    )
    return newest, "delta", max(f.rank for f in files)


def compact_all(workspace: Workspace, author: Author, datasets: Sequence[str], *, full: bool) -> list[Compacted]:
    """Compact several datasets; the first error that is not a lost race stops it."""
    done = []
    for dataset in datasets:
        try:
            done.append(compact(workspace, author, dataset, full=full))
        except Conflict:
            continue
    return [c for c in done if c.files_before != c.files_after]


def crowded(workspace: Workspace, datasets: Sequence[str], *, full: bool) -> list[Compacted]:
    """What `compact_all` would do; nothing is written and ``rows`` is 0."""
    found = []
    for dataset in datasets:
        files = workspace.snapshot().files(dataset)
        chosen = _choice(workspace.schemas[dataset], files, full=full)
        if len(chosen) > 1:
            after = len(files) - len(chosen) + 1
            found.append(Compacted(dataset=dataset, files_before=len(files), files_after=after, rows=0))
    return found
