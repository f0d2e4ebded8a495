"""What reading a file ends in: a Parquet file of text cells, each row with the file's own record and line number.

Rows that cannot be cut into the file's columns are kept too, with what is wrong in ``_problem``, so that every row of
the file is accounted for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

BATCH = 20_000
GAPS = ("  ", "\t", "\n", "\r")
"""What may stand in a cell where one blank should be."""
META = ("_row", "_line", "_problem", "_rest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A file as it was read.

    ``source`` is SQL over the Parquet file ``path``, with the columns ``_row`` (record number, from 1), ``_line`` (line
    or sheet row, null where not counted), ``_problem``, ``_rest`` (cells beyond the last column) and ``c0 … cN`` in the
    order of ``columns``. A file that the engine staged by itself holds ``cells_only``; then ``first`` is the line of
    its first row, if lines can be counted.
    ``facts`` are for people ("UTF-8, header in row 3"), ``notes`` tell what was decided or changed on the way.
    ``empty`` are columns of a fixed layout that nothing is in; nobody misses them.
    ``lines`` finds the lines of some records later, where counting them for all would have cost a second reading.
    ``plain`` says that all text is ASCII, ``gaps`` which of `GAPS` its cells may hold: cleaning may skip what it cannot
    change.
    """

    path: Path
    columns: tuple[str, ...]
    rows: int
    cells_only: bool = False
    first: int | None = None
    facts: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    plain: bool = False
    gaps: tuple[str, ...] = GAPS
    empty: frozenset[str] = frozenset()
    lines: Callable[[set[int]], dict[int, int]] | None = None

    @property
    def source(self) -> str:
        """To be read from in SQL."""
        path = "'" + str(self.path).replace("'", "''") + "'"
        if not self.cells_only:
            return f"read_parquet({path})"
        # Numbering the rows while they were read would have kept the engine to one core.
        line = "null" if self.first is None else f"file_row_number + {self.first}"
        return (
            f"(select file_row_number + 1 as _row, cast({line} as bigint) as _line, cast(null as varchar) as _problem,"
            f" cast(null as varchar) as _rest, * exclude (file_row_number)"
            f" from read_parquet({path}, file_row_number = true))"
        )


def staged_schema(width: int) -> pa.Schema:
    """The Arrow schema of a staged file of ``width`` columns."""
    return pa.schema(
        [("_row", pa.int64()), ("_line", pa.int64()), ("_problem", pa.string()), ("_rest", pa.string())]
        + [(f"c{i}", pa.string()) for i in range(width)]
    )


class Stager:
    """Writes rows in batches, so that memory stays bounded however long the file is."""

    def __init__(self, path: Path, width: int) -> None:
        self.path = path
        self.width = width
        self.rows = 0
        self._schema = staged_schema(width)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", compression_level=1)
        self._batch: list[tuple[object, ...]] = []
        self.filled: set[int] = set()

    def add(self, cells: Sequence[str | None], *, line: int | None, problem: str | None = None) -> None:
        """One row of the file; rows of another width are marked, and what is too much is kept in ``_rest``."""
        self.rows += 1
        rest = None
        if len(cells) != self.width:
            if len(cells) > self.width and not any(cells[self.width :]):
                cells = cells[: self.width]  # nothing but trailing delimiters
            else:
                problem = problem or f"has {len(cells)} cells, the header has {self.width}"
                rest = "\t".join(c or "" for c in cells[self.width :]) or None
                cells = [*cells[: self.width], *[None] * (self.width - len(cells))]
        self._batch.append((self.rows, line, problem, rest, *(c or None for c in cells)))
        if len(self._batch) >= BATCH:
            self._flush()

    def add_all(self, rows: Iterable[tuple[Sequence[str | None], int | None, str | None]]) -> None:
        """Rows as (cells, line, problem)."""
        for cells, line, problem in rows:
            self.add(cells, line=line, problem=problem)

    def _flush(self) -> None:
        if self._batch:
            arrays = [pa.array(column, f.type) for column, f in zip(zip(*self._batch), self._schema)]
            self.filled |= {i for i, a in enumerate(arrays[len(META) :]) if a.null_count < len(a)}
            self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
            self._batch = []

    def __enter__(self) -> Stager:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._flush()
        self._writer.close()
