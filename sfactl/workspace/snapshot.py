"""A snapshot: which files make up each dataset at one commit, and the SQL that reads them as one table.

A file belongs to snapshot S when it was added at or before S and not removed by then. In a state dataset the newest
row of a key counts: base files hold one row a key, delta files hold later rows and a deleted flag, and the order of
deltas is in their names. Files of an older schema version are migrated as they are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sfactl.schemas import Dataset, Schemas
from sfactl.workspace.manifest import Manifest

RANK_LENGTH = len("000000000000-000")
ALIASES = "record_aliases"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """One Parquet file as the manifest knows it. ``kind`` is base, delta or event."""

    id: int
    dataset: str
    path: str
    kind: str
    added_seq: int
    removed_seq: int | None
    rows: int
    bytes: int
    crc32: int
    version: int
    columns: tuple[str, ...]
    key_min: str | None
    key_max: str | None
    time_min: str | None
    time_max: str | None

    @property
    def rank(self) -> str:
        """What orders deltas: the commit and the place in it."""
        return Path(self.path).name[:RANK_LENGTH]


_FILE_SQL = """
select f.id, f.dataset, f.path, f.kind, f.added_seq, f.removed_seq, f.rows, f.bytes, f.crc32, f.version, c.names,
       f.key_min, f.key_max, f.time_min, f.time_max
from files f join column_sets c on c.id = f.columns
"""


def read_files(manifest: Manifest, where: str, *params: Any) -> list[DataFile]:
    """Files of the manifest that fit a condition over ``f``, in a stable order."""
    rows = manifest.rows(f"{_FILE_SQL} where {where} order by f.dataset, f.path", *params)
    return [_file(r) for r in rows]


def live_files(manifest: Manifest, seq: int, dataset: str | None = None) -> list[DataFile]:
    """Files that make up ``dataset`` (or all) at commit ``seq``."""
    where = "f.added_seq <= ? and (f.removed_seq is null or f.removed_seq > ?)"
    if dataset is None:
        return read_files(manifest, where, seq, seq)
    return read_files(manifest, where + " and f.dataset = ?", seq, seq, dataset)


def _file(row: Sequence[Any]) -> DataFile:
    fields = dict(zip(DataFile.__slots__, row, strict=True))
    fields["columns"] = tuple(json.loads(fields["columns"]))
    return DataFile(**fields)


class Snapshot:
    """All datasets at one commit, as views for a query."""

    def __init__(self, folder: Path, manifest: Manifest, schemas: Schemas, seq: int) -> None:
        self.seq = seq
        self._folder = folder
        self._manifest = manifest
        self._schemas = schemas

    def __contains__(self, name: object) -> bool:
        return name in self._schemas

    def files(self, dataset: str) -> list[DataFile]:
        """The files of ``dataset``."""
        return live_files(self._manifest, self.seq, dataset)

    def select(self, name: str) -> str:
        """A SELECT with all rows of the dataset ``name``; events name the records that are there since merges."""
        return self._resolved(self._schemas[name], self.stored(name))

    def stored(self, name: str) -> str:
        """A SELECT with all rows of the dataset ``name`` as they were written."""
        return merged(self._folder, self._schemas[name], self.files(name))

    def _resolved(self, dataset: Dataset, rows: str) -> str:
        if dataset.kind == "state" or not dataset.references or not self._aliased:
            return rows
        return resolved(dataset, rows, self.stored(ALIASES))

    @cached_property
    def _aliased(self) -> bool:
        return bool(self.files(ALIASES))

    def lookup(self, name: str, key: Sequence[Any]) -> tuple[str, Mapping[str, Any]] | None:
        """A SELECT for the one row of ``key``: the key is pushed into every file that can hold it."""
        dataset = self._schemas[name]
        files = [f for f in self.files(name) if may_hold(dataset, f, key[0])]
        if not files:
            return None
        params = {f"key{i}": value for i, value in enumerate(key)}
        test = " and ".join(f"{quoted(c)} = $key{i}" for i, c in enumerate(dataset.key))
        return self._resolved(dataset, merged(self._folder, dataset, files, test=test)), params


def may_hold(dataset: Dataset, file: DataFile, value: Any) -> bool:
    """False where the manifest's bounds rule out that the file holds ``value`` as first part of a key."""
    if file.key_min is None or file.key_max is None or dataset.types[dataset.key[0]] not in ("bigint", "integer"):
        return True
    return int(file.key_min) <= int(value) <= int(file.key_max)


def merged(folder: Path, dataset: Dataset, files: Iterable[DataFile], *, test: str | None = None) -> str:
    """The SELECT that reads ``files`` of ``dataset`` as one table; ``test`` is pushed into each file."""
    where = f" where {test}" if test else ""
    chosen = list(files)
    deltas = [f for f in chosen if f.kind == "delta"]
    plain = [f for f in chosen if f.kind != "delta"]
    names = ", ".join(quoted(c.name) for c in dataset.columns)
    base = f"select {names} from ({union(folder, dataset, plain)}){where}"
    if not deltas:
        return base
    key = ", ".join(quoted(c) for c in dataset.key)
    newest = f"select {names}, _deleted, _rank from ({union(folder, dataset, deltas)}){where}"
    if len(deltas) > 1:
        newest = f"select * from ({newest}) qualify row_number() over (partition by {key} order by _rank desc) = 1"
    # What is newest stands once in the statement: as a common table it was materialised for both its readers, and the
    # engine (DuckDB 2.0.0) then waits for ever where a LIMIT reads a union of them.
    masked = f"select {key} from ({union(folder, dataset, deltas)}){where}"
    same = " and ".join(f"_b.{quoted(c)} = _n.{quoted(c)}" for c in dataset.key)
    return (
        f"select {names} from ({base}) as _b where not exists (select 1 from ({masked}) as _n where {same}) "
        f"union all select {names} from ({newest}) as _n where not _deleted"
    )


def union(folder: Path, dataset: Dataset, files: Sequence[DataFile]) -> str:
    """All rows of ``files``, of whatever version, in today's columns; deltas keep ``_deleted`` and ``_rank``."""
    groups: dict[tuple[int, tuple[str, ...], bool], list[DataFile]] = {}
    for f in files:
        groups.setdefault((f.version, f.columns, f.kind == "delta"), []).append(f)
    if not groups:
        empty = ", ".join(f"cast(null as {c.type}) as {quoted(c.name)}" for c in dataset.columns)
        return f"select {empty} where false"
    return " union all ".join(
        _group(folder, dataset, version, columns, members, delta=delta)
        for (version, columns, delta), members in groups.items()
    )


def _group(
    folder: Path, dataset: Dataset, version: int, columns: Sequence[str], files: Sequence[DataFile], *, delta: bool
) -> str:
    paths = ", ".join("'" + str(folder / f.path).replace("'", "''") + "'" for f in files)
    hidden = f", _deleted, substr(parse_filename(filename), 1, {RANK_LENGTH}) as _rank" if delta else ""
    source = f"select * from read_parquet([{paths}]{', filename = true' if delta else ''})"
    have = [c for c in columns if c != "_deleted"]
    keep = ", _deleted, filename" if delta else ""
    for step in range(version + 1, dataset.version + 1):
        source, have = _migrate(dataset, step, source, have, keep)
    cells = []
    for column in dataset.columns:
        cell = quoted(column.name) if column.name in have else "null"
        if column.name not in have or version < dataset.version:
            cell = f"cast({cell} as {column.type}) as {quoted(column.name)}"
        cells.append(cell)
    return f"select {', '.join(cells)}{hidden} from ({source})"


def _migrate(dataset: Dataset, step: int, source: str, have: Sequence[str], keep: str) -> tuple[str, list[str]]:
    """Wrap ``source`` (version ``step`` - 1) so that it has the columns of version ``step``."""
    changed = dataset.migrations.get(step, {})
    core = dataset.versions.get(step, tuple(c.name for c in dataset.columns if not c.custom))
    custom = [c.name for c in dataset.columns if c.custom and c.name in have]
    now = [c for c in (*core, *custom) if c in changed or c in have]
    cells = [f"{changed[c]} as {quoted(c)}" if c in changed else quoted(c) for c in now]
    return f"select {', '.join(cells)}{keep} from ({source})", now


def resolved(dataset: Dataset, rows: str, aliases: str) -> str:
    """``rows`` of events, each naming the record that is there now in place of one that was merged into it.

    Events are facts and keep the number they came with; the map from it is small, so that reading costs one probe.
    """
    joins, cells = [], {}
    for i, reference in enumerate(dataset.references):
        column = quoted(reference.column)
        whose = f"_r.{quoted(reference.by)}" if reference.by else f"'{reference.entity}'"
        kind = dataset.types[reference.column]
        joins.append(
            f" left join _aliases as _a{i} on cast(_a{i}.id as {kind}) = _r.{column} and _a{i}.entity = {whose}"
        )
        cells[reference.column] = f"coalesce(cast(_a{i}.root_id as {kind}), _r.{column}) as {column}"
    names = ", ".join(cells.get(c.name, f"_r.{quoted(c.name)}") for c in dataset.columns)
    return f"with _aliases as ({aliases}), _r as ({rows}) select {names} from _r{''.join(joins)}"


def quoted(name: str) -> str:
    """``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
