"""What happened to the data: the log of commits, what one of them did, and what became of one row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import NotFound
from sfactl.schemas import Dataset
from sfactl.workspace.manifest import from_micros
from sfactl.workspace.snapshot import merged, quoted, read_files
from sfactl.workspace.transaction import key_list
from sfactl.workspace.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One commit: who, when, by which command, why, and which datasets it touched (dataset → rows written)."""

    seq: int
    at: datetime
    actor: str
    command: str
    op: str
    run_id: str
    reason: str | None
    undoes: int | None
    undone_by: int | None
    datasets: Mapping[str, int]
    meta: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Rows of one dataset that differ between two commits."""

    dataset: str
    added: int
    changed: int
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field of one row that one commit changed. ``old`` and ``new`` are as text; None is empty."""

    seq: int
    at: datetime
    actor: str
    command: str
    field: str
    old: str | None
    new: str | None


_LOG_SQL = """
select c.seq, c.at, c.actor, c.command, c.op, c.run_id, c.reason, c.undoes,
       (select max(u.seq) from commits u where u.undoes = c.seq),
       (select json_group_object(dataset, n) from
           (select dataset, sum(rows) n from files where added_seq = c.seq group by dataset order by dataset)),
       c.meta
from commits c
"""


_COUNTS = [f"count(*) filter (where what = '{what}')::bigint" for what in ("added", "changed", "removed")]
_WHAT = "case when a.{0} is null then 'added' when b.{0} is null then 'removed' else 'changed' end as what"


def author_of(workspace: Workspace, name: str, value: str) -> str | None:
    """Who made the first commit that says ``value`` under ``name``; None where none does."""
    sql = "select actor from commits where json_extract(meta, '$.' || ?1) = ?2 order by seq limit 1"
    found = workspace.manifest.rows(sql, name, value)
    return str(found[0][0]) if found else None


def log(workspace: Workspace, *, limit: int, dataset: str | None = None, everything: bool = False) -> list[LogEntry]:
    """The newest ``limit`` commits, newest first; merges of files are left out unless ``everything``."""
    where = "(?1 is null or exists (select 1 from files f where f.added_seq = c.seq and f.dataset = ?1))"
    if not everything:
        where += " and c.op <> 'compact'"
    rows = workspace.manifest.rows(f"{_LOG_SQL} where {where} order by c.seq desc limit ?2", dataset, limit)
    return [_entry(r) for r in rows]


def entry(workspace: Workspace, seq: int) -> LogEntry:
    """One commit. Raises `NotFound`."""
    row = workspace.manifest.one(f"{_LOG_SQL} where c.seq = ?", seq)
    if row is None:
        raise NotFound(f"there is no commit {seq}", hint=f"The newest is {workspace.head()}. See: sfactl data log")
    return _entry(row)


def _entry(r: Sequence[Any]) -> LogEntry:
    return LogEntry(
        seq=r[0],
        at=from_micros(r[1]),
        actor=r[2],
        command=r[3],
        op=r[4],
        run_id=r[5],
        reason=r[6],
        undoes=r[7],
        undone_by=r[8],
        datasets=json.loads(r[9]),
        meta=json.loads(r[10]),
    )


def changes(workspace: Workspace, old: int, new: int, datasets: Sequence[str] | None = None) -> list[Change]:
    """How many rows of each dataset were added, changed and removed between commits ``old`` and ``new``."""
    touched = {
        str(r[0])
        for r in workspace.manifest.rows(
            "select distinct dataset from files"
            " where added_seq between ?1 + 1 and ?2 or removed_seq between ?1 + 1 and ?2",
            *sorted((old, new)),
        )
    }
    found = []
    for name in sorted(touched if datasets is None else touched.intersection(datasets)):
        schema = workspace.schemas[name]
        with workspace.query(max(old, new)) as q:
            row = q.one(f"select {', '.join(_COUNTS)} from ({_compared(workspace, schema, old, new)})")
        if row and any(row):
            found.append(Change(dataset=name, added=row[0], changed=row[1], removed=row[2]))
    return found


def changed_rows(workspace: Workspace, old: int, new: int, dataset: str, *, limit: int) -> pa.Table:
    """The differing rows of ``dataset`` field by field: what, key, field, old, new (as text); at most ``limit``."""
    schema = workspace.schemas[dataset]
    keys = ", ".join(f"coalesce(a.{quoted(c)}, b.{quoted(c)}) as {quoted(c)}" for c in schema.key)
    fields = [c.name for c in schema.columns if c.name not in schema.key]
    same = " and ".join(f"a.{quoted(c)} = b.{quoted(c)}" for c in schema.key)
    first = quoted(schema.key[0])
    parts = [
        f"select {_WHAT.format(first)}, {keys}, '{name}' as field, {i} as _place,"
        f" cast(a.{quoted(name)} as varchar) as old, cast(b.{quoted(name)} as varchar) as new"
        f" from _a as a full join _b as b on {same}"
        f" where a.{quoted(name)} is distinct from b.{quoted(name)}"
        for i, name in enumerate(fields)
    ]
    with workspace.query(max(old, new)) as q:
        for table, at in (("_a", old), ("_b", new)):
            q.run(f"create temp table {table} as {workspace.snapshot(at).stored(dataset)}")
        every = f"select * exclude (_place) from ({' union all '.join(parts)})"
        return q.table(f"{every} order by {key_list(schema)}, _place limit $n", {"n": limit})


def _compared(workspace: Workspace, schema: Dataset, old: int, new: int) -> str:
    a, b = (workspace.snapshot(seq).stored(schema.name) for seq in (old, new))
    same = " and ".join(f"a.{quoted(c)} = b.{quoted(c)}" for c in schema.key)
    first = quoted(schema.key[0])
    differ = " or ".join(f"a.{quoted(c.name)} is distinct from b.{quoted(c.name)}" for c in schema.columns)
    return f"select {_WHAT.format(first)} from ({a}) as a full join ({b}) as b on {same} where {differ}"


def row_history(workspace: Workspace, dataset: str, key: Sequence[Any]) -> list[FieldChange]:
    """Every change of one row of a state dataset, oldest first. Raises `NotFound` if the row never was."""
    schema = workspace.schemas[dataset]
    files = read_files(
        workspace.manifest,
        "f.dataset = ? and f.added_seq in (select seq from commits where op <> 'compact')",
        dataset,
    )
    test = " and ".join(f"{quoted(c)} = $key{i}" for i, c in enumerate(schema.key))
    params = {f"key{i}": k for i, k in enumerate(key)}
    seqs = sorted({f.added_seq for f in files})
    found: list[FieldChange] = []
    before: dict[str, Any] = {}
    with workspace.query() as q:
        for seq in seqs:
            mine = [f for f in files if f.added_seq == seq]
            row = q.table(merged(workspace.private, schema, mine, test=test), params).to_pylist()
            deleted = not row and any(f.kind == "delta" for f in mine) and _names(workspace, seq, schema, key)
            if row or deleted:
                after = row[0] if row else {}
                found += _field_changes(entry(workspace, seq), before, after)
                before = after
    if not found:
        raise NotFound(f"{dataset} has and had no row {'/'.join(map(str, key))}")
    return found


def _names(workspace: Workspace, seq: int, schema: Dataset, key: Sequence[Any]) -> bool:
    """True where the row was there before commit ``seq`` and not after it."""
    with workspace.query(seq - 1) as before, workspace.query(seq) as after:
        return before.get(schema.name, *key) is not None and after.get(schema.name, *key) is None


def _field_changes(commit: LogEntry, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
    return [
        FieldChange(
            seq=commit.seq,
            at=commit.at,
            actor=commit.actor,
            command=commit.command,
            field=name,
            old=_text(before.get(name)),
            new=_text(after.get(name)),
        )
        for name in (after or before)
        if before.get(name) != after.get(name)
    ]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
