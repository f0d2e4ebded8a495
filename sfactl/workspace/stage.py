"""Staged data files: written and fsynced outside the datasets, renamed into them by a commit."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfactl.api.errors import DataError
from sfactl.engine.duck import Query, Written
from sfactl.schemas import Dataset
from sfactl.workspace.manifest import disk_error
from sfactl.workspace.snapshot import quoted

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A Parquet file that waits for its commit."""

    dataset: str
    kind: str
    path: Path
    rows: int
    bytes: int
    crc32: int
    version: int
    columns: tuple[str, ...]
    key_min: str | None
    key_max: str | None
    time_min: str | None
    time_max: str | None
    rank: str | None = None

    @property
    def bounds(self) -> tuple[str | None, ...]:
        """Least and greatest key and time."""
        return self.key_min, self.key_max, self.time_min, self.time_max

    def name(self, seq: int, place: int) -> str:
        """Name of the file in its dataset: rank, kind and a unique tail. A merged file keeps the rank it had."""
        return f"{self.rank or f'{seq:012d}-{place:03d}'}-{self.kind}-{uuid4().hex}.parquet"


def stage(
    folder: Path,
    query: Query,
    dataset: Dataset,
    sql: str,
    params: Mapping[str, Any] | None,
    *,
    kind: str,
    rank: str | None = None,
) -> Staged | None:
    """Write the rows of ``sql`` (which has the dataset's columns) as a file of ``kind``; None where there are none."""
    path = folder / f"{dataset.name}-{uuid4().hex}.parquet"
    try:
        ordered = f"select * from ({sql}) order by {dataset.order}"
        written = query.write(ordered, path, params, row_group=_row_group(dataset))
    except OSError as err:
        raise disk_error(err, path) from err
    if not written.rows:
        path.unlink()
        return None
    return _measured(path, dataset, written, kind=kind, rank=rank)


LOOKED_UP_CELLS = 800_000
MOST_ROWS, FEWEST_ROWS, STEP = 122_880, 8_192, 2_048


def _row_group(dataset: Dataset) -> int:
    """Rows of a row group. A row looked up by its key costs its whole group, so wide rows lie in small groups.

    Events are scanned, and what is known of each group is read first: few groups are better.
    """
    if dataset.kind == "event":
        return MOST_ROWS
    rows = LOOKED_UP_CELLS // len(dataset.columns) // STEP * STEP
    return min(max(rows, FEWEST_ROWS), MOST_ROWS)


SMALL = 1000
"""Rows up to which Arrow alone checks, sorts and writes a table: for a few rows the engine's set-up would cost more."""


def stage_small(folder: Path, dataset: Dataset, table: pa.Table, *, kind: str, deleted: bool | None) -> Staged | None:
    """Write a small Arrow table as a file of ``kind``; None where only the engine can say what is to be done with it.

    Raises `DataError` for unknown columns and for missing or doubled keys.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if table.num_rows > SMALL or len(set(table.column_names)) != table.num_columns:
        return None
    _refuse_unknown(dataset, table.column_names)
    try:
        whole = _typed(dataset, table, deleted)
    except pa.ArrowException:  # a cast that only the engine knows, or an error that it words better
        return None
    if dataset.kind == "state":
        _check_small_keys(dataset, whole)
    whole = whole.sort_by([(c, "ascending") for c in ((dataset.time, *dataset.key) if dataset.time else dataset.key)])
    path = folder / f"{dataset.name}-{uuid4().hex}.parquet"
    try:
        pq.write_table(whole, path, compression="zstd")
    except OSError as err:
        raise disk_error(err, path) from err
    bounds = {c: _bounds(whole, c) for c in (dataset.key[0], dataset.time) if c}
    written = Written(rows=whole.num_rows, bytes=path.stat().st_size, columns=tuple(whole.column_names), bounds=bounds)
    return _measured(path, dataset, written, kind=kind, rank=None)


def _typed(dataset: Dataset, table: pa.Table, deleted: bool | None) -> pa.Table:
    import pyarrow as pa

    schema = dataset.arrow()
    columns = [
        table.column(f.name).cast(f.type) if f.name in table.column_names else pa.nulls(table.num_rows, f.type)
        for f in schema
    ]
    whole = pa.table(columns, schema=schema)
    if deleted is not None:
        whole = whole.append_column("_deleted", pa.array([deleted] * table.num_rows, pa.bool_()))
    return whole


def _check_small_keys(dataset: Dataset, table: pa.Table) -> None:
    keys = list(zip(*(table.column(c).to_pylist() for c in dataset.key), strict=True))
    if missing := sum(any(part is None for part in key) for key in keys):
        raise DataError(_no_key(dataset, missing))
    if len(set(keys)) != len(keys):
        raise DataError(_double_key(dataset, min(k for k in keys if keys.count(k) > 1)))


def _bounds(table: pa.Table, column: str) -> tuple[str | None, str | None]:
    import pyarrow.compute as pc

    found = pc.min_max(table.column(column)).as_py()
    return tuple(None if found[k] is None else str(found[k]) for k in ("min", "max"))  # type: ignore[return-value]


def _refuse_unknown(dataset: Dataset, have: Sequence[str]) -> None:
    unknown = [c for c in have if c not in dataset.types]
    if unknown:
        raise DataError(f"{dataset.name}: unknown columns {', '.join(unknown)}")


def _no_key(dataset: Dataset, missing: int) -> str:
    return f"{dataset.name}: {missing} rows have no {' and '.join(dataset.key)}"


def _double_key(dataset: Dataset, key: tuple[Any, ...] | None) -> str:
    return f"{dataset.name}: the key ({', '.join(dataset.key)}) = {key} comes more than once"


def _measured(path: Path, dataset: Dataset, written: Written, *, kind: str, rank: str | None) -> Staged:
    key_min, key_max = written.bounds.get(dataset.key[0], (None, None))
    time_min, time_max = written.bounds.get(dataset.time, (None, None)) if dataset.time else (None, None)
    return Staged(
        dataset=dataset.name,
        kind=kind,
        path=path,
        rows=written.rows,
        bytes=path.stat().st_size,
        crc32=crc32_of(path, fsync=True),
        version=dataset.version,
        columns=written.columns,
        key_min=key_min,
        key_max=key_max,
        time_min=time_min,
        time_max=time_max,
        rank=rank,
    )


def check_keys(query: Query, dataset: Dataset, staged: Staged) -> None:
    """Refuse rows without a key, and two rows with the same key."""
    if staged.rows <= SMALL:
        import pyarrow.parquet as pq

        with pq.ParquetFile(staged.path) as file:  # less to set up than a data set of one file
            _check_small_keys(dataset, file.read(columns=list(dataset.key), use_threads=False))
        return
    keys = ", ".join(quoted(c) for c in dataset.key)
    source = f"read_parquet('{str(staged.path).replace(chr(39), chr(39) * 2)}')"
    nulls = " or ".join(f"{quoted(c)} is null" for c in dataset.key)
    counted = keys if len(dataset.key) == 1 else f"({keys})"
    row = query.one(f"select count(*) filter (where {nulls})::bigint, count(distinct {counted})::bigint from {source}")
    missing, distinct = row or (0, 0)
    if missing:
        raise DataError(_no_key(dataset, missing))
    if distinct != staged.rows:
        double = query.one(f"select {keys} from {source} group by {keys} having count(*) > 1 order by {keys} limit 1")
        raise DataError(_double_key(dataset, double))


def columns_sql(dataset: Dataset, sql: str, have: Sequence[str], *, deleted: bool | None = None) -> str:
    """``sql`` in the dataset's columns and types; what it lacks is NULL, what is unknown is refused."""
    _refuse_unknown(dataset, have)
    cells = [
        f"cast({quoted(c.name) if c.name in have else 'null'} as {c.type}) as {quoted(c.name)}" for c in dataset.columns
    ]
    if deleted is not None:
        cells.append(f"{str(deleted).lower()} as _deleted")
    return f"select {', '.join(cells)} from ({sql})"


def crc32_of(path: Path, *, fsync: bool = False) -> int:
    """Checksum of a file; with ``fsync`` the file is on the disk when this returns."""
    value = 0
    try:
        with path.open("rb") as f:
            if fsync:
                os.fsync(f.fileno())
            while block := f.read(1 << 20):
                value = zlib.crc32(block, value)
    except OSError as err:
        raise disk_error(err, path) from err
    return value


def fsync_folder(path: Path) -> None:
    """Make renames in ``path`` durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems refuse to sync a folder
            os.fsync(handle)
    finally:
        os.close(handle)
