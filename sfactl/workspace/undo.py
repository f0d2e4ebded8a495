"""Undo one commit by a new commit that puts back what was there before. History stays, so an undo can be undone.

A row that was changed again since is a conflict: it is listed, never overwritten. Messages that went out and orders
that reached an ERP cannot be taken back, so their commits are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sfactl.api.errors import Conflict, NotFound, PolicyError, UserError
from sfactl.schemas import Dataset
from sfactl.workspace.compaction import OP as COMPACT
from sfactl.workspace.snapshot import DataFile, live_files, merged, quoted, read_files, union
from sfactl.workspace.stage import stage
from sfactl.workspace.transaction import Author, Commit, Transaction, key_list
from sfactl.workspace.workspace import Workspace

OUTSIDE = frozenset({"messages", "erp_refs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What an undo did: rows put back or taken out, by dataset."""

    undone: int
    commit: int | None
    restored: dict[str, int]
    removed: dict[str, int]


def undo(workspace: Workspace, author: Author, seq: int, *, dry_run: bool = False) -> Undone:
    """Undo commit ``seq``. Raises `Conflict` if its rows changed since, `PolicyError` if it had effects outside."""
    command, op = _commit_of(workspace, seq)
    if op == COMPACT:
        raise UserError(f"commit {seq} only merged files; there is nothing to undo")
    added = read_files(workspace.manifest, "f.added_seq = ?", seq)
    gone = read_files(workspace.manifest, "f.removed_seq = ?", seq)
    datasets = sorted({f.dataset for f in (*added, *gone)})
    if outside := OUTSIDE.intersection(datasets):
        raise PolicyError(
            f"commit {seq} ({command}) had effects outside ({', '.join(sorted(outside))}); they cannot be taken back"
        )
    restored: dict[str, int] = {}
    removed: dict[str, int] = {}
    # Event datasets are locked too: their live files are replaced, and a compaction must not come in between unseen.
    with workspace.transaction(author, *datasets, dry_run=dry_run, op="undo", undoes=seq) as tx:
        for name in datasets:
            schema = workspace.schemas[name]
            mine = [f for f in added if f.dataset == name]
            theirs = [f for f in gone if f.dataset == name]
            change = _undo_state if schema.kind == "state" else _undo_events
            restored[name], removed[name] = change(workspace, tx, schema, seq, mine, theirs)
        _restore_cursors(workspace, tx, seq)
        done: Commit = tx.commit(undone=seq)
    return Undone(undone=seq, commit=done.seq, restored=restored, removed=removed)


def _commit_of(workspace: Workspace, seq: int) -> tuple[str, str]:
    row = workspace.manifest.one("select command, op from commits where seq = ?", seq)
    if row is None:
        raise NotFound(f"there is no commit {seq}", hint="See: sfactl data log")
    return str(row[0]), str(row[1])


def _undo_state(
    workspace: Workspace, tx: Transaction, schema: Dataset, seq: int, mine: Sequence[DataFile], _: Sequence[DataFile]
) -> tuple[int, int]:
    keys = key_list(schema)
    same = " and ".join(f"_k.{quoted(c)} = _r.{quoted(c)}" for c in schema.key)
    q = tx.query
    q.run(f"create or replace temp table _undo_keys as select distinct {keys} from ({_any(workspace, schema, mine)})")
    for table, at in (("_undo_before", seq - 1), ("_undo_after", seq), ("_undo_now", q.seq)):
        rows = workspace.snapshot(at).stored(schema.name)
        q.run(
            f"create or replace temp table {table} as select _r.* from ({rows}) as _r"
            f" where exists (select 1 from _undo_keys as _k where {same})"
        )
    _refuse_changed(tx, schema, seq)
    back = tx.upsert(schema.name, "select * from _undo_before")
    out = tx.delete(
        schema.name,
        f"select {keys} from _undo_keys as _k where not exists (select 1 from _undo_before as _r where {same})",
    )
    return back, out


def _refuse_changed(tx: Transaction, schema: Dataset, seq: int) -> None:
    keys = key_list(schema)
    moved = tx.query.rows(
        f"select distinct {keys} from ((select * from _undo_after except select * from _undo_now)"
        f" union all (select * from _undo_now except select * from _undo_after)) order by {keys}"
    )
    if moved:
        some = ", ".join("/".join(map(str, r)) for r in moved[:5])
        raise Conflict(
            f"{len(moved)} rows of {schema.name} were changed after commit {seq}: {some}{' …' if moved[5:] else ''}",
            hint="Undo the later commits first; see: sfactl data log",
        )


def _undo_events(
    workspace: Workspace,
    tx: Transaction,
    schema: Dataset,
    seq: int,
    mine: Sequence[DataFile],
    theirs: Sequence[DataFile],
) -> tuple[int, int]:
    keys = key_list(schema)
    q = tx.query
    add, cut = _any(workspace, schema, mine), _any(workspace, schema, theirs)
    same = " and ".join(f"_k.{quoted(c)} = _r.{quoted(c)}" for c in schema.key)
    for table, some, other in (("_undo_out", add, cut), ("_undo_back", cut, add)):
        q.run(
            f"create or replace temp table {table} as select _r.* from ({some}) as _r"
            f" where not exists (select 1 from ({other}) as _k where {same})"
        )
    out = _take_out(workspace, tx, schema, seq, same)
    back = tx.append(schema.name, f"select * from _undo_back order by {keys}")
    return back, out


def _take_out(workspace: Workspace, tx: Transaction, schema: Dataset, seq: int, same: str) -> int:
    """Remove the rows of ``_undo_out`` from the live files, rewriting only files that hold others too."""
    q = tx.query
    wanted = int((q.one("select count(*)::bigint from _undo_out") or (0,))[0])
    if not wanted:
        return 0
    test = f"exists (select 1 from _undo_out as _k where {same})"
    live = {f.id: f for f in live_files(workspace.manifest, q.seq, schema.name)}
    parts = [
        f"select {i} as id, count(*) as n from ({merged(workspace.private, schema, [f])}) as _r where {test}"
        for i, f in live.items()
    ]
    found = 0
    for file_id, hits in (
        q.rows(f"select id, n::bigint from ({' union all '.join(parts)}) where n > 0") if parts else []
    ):
        found += hits
        f = live[file_id]
        if hits == f.rows:
            tx.adopt([], [file_id])
            continue
        others = f"select _r.* from ({merged(workspace.private, schema, [f])}) as _r where not {test}"
        rest = stage(tx.staging(), q, schema, others, None, kind="event")
        tx.adopt([rest] if rest else [], [file_id])
    if found != wanted:
        raise Conflict(
            f"{wanted - found} rows of {schema.name} from commit {seq} are no longer there",
            hint="The commit may be undone already; see: sfactl data log",
        )
    return wanted


def _any(workspace: Workspace, schema: Dataset, files: Sequence[DataFile]) -> str:
    """Rows of base, delta and event files alike, in the dataset's columns; a key that was deleted counts too."""
    deltas = [f for f in files if f.kind == "delta"]
    plain = [f for f in files if f.kind != "delta"]
    names = ", ".join(quoted(c.name) for c in schema.columns)
    parts = [f"select {names} from ({union(workspace.private, schema, part)})" for part in (plain, deltas) if part]
    return " union all ".join(parts) or union(workspace.private, schema, [])


def _restore_cursors(workspace: Workspace, tx: Transaction, seq: int) -> None:
    import json

    for (name,) in workspace.manifest.rows("select name from cursors where seq = ?", seq):
        latest = workspace.manifest.one("select max(seq) from cursors where name = ?", name)
        if latest is None or latest[0] != seq:
            raise Conflict(f"the source {name} was read on after commit {seq}", hint="Undo the later commits first.")
        row = workspace.manifest.one(
            "select value from cursors where name = ? and seq < ? order by seq desc limit 1", name, seq
        )
        tx.set_cursor(name, json.loads(row[0]) if row and row[0] else None)
