"""What most reports answer: one flat table, each row with its commit, and what a person must know to read it.

Columns speak by their names: ``rate``, ``low``, ``high`` and ``share`` are parts of one, and a rate of nothing is null,
which people read as n/a.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import UserError
from sfactl.insight.share import share

if TYPE_CHECKING:
    import pyarrow as pa

ALL = "all"
"""The row of a cell that stands for the whole report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A report as one table. ``warnings`` say what a number does not hold; ``notes`` say how to read it.

    ``total`` is a row for people only: in a file it would be added up with the others.
    """

    title: str
    table: pa.Table
    seq: int
    total: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number of a report: a row by its name, or `ALL` of them, and a column."""

    row: str
    column: str

    @property
    def whole(self) -> bool:
        """Whether it is a total."""
        return self.row == ALL


def read_cell(text: str, columns: Sequence[str]) -> Cell:
    """Read ``ROW/COLUMN``; a bare COLUMN means the total, a bare ROW its first column. Raises `UserError`."""
    row, slash, column = text.rpartition("/")
    if slash and column in columns:
        return Cell(row=row, column=column)
    if text in columns:
        return Cell(row=ALL, column=text)
    if slash:
        near = difflib.get_close_matches(column, columns, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UserError(f"--drill {text}: there is no column {column!r}.{hint} Columns: {', '.join(columns)}")
    return Cell(row=text, column=columns[0])


def check_row(cell: Cell, known: Iterable[str]) -> None:
    """Raise `UserError` with the nearest name if the report has no such row."""
    names = list(known)
    if cell.whole or cell.row in names:
        return
    near = difflib.get_close_matches(cell.row, names, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UserError(f"--drill: there is no row {cell.row!r}.{hint}")


def sheet_table(
    rows: Iterable[Mapping[str, Any]], columns: Mapping[str, pa.DataType], seq: int, *, hits: str = "", of: str = ""
) -> pa.Table:
    """The rows as an Arrow table with the commit at the end.

    With ``hits`` and ``of`` (names of columns) each row gets rate, low and high: the Wilson interval at 95 %.
    """
    import pyarrow as pa

    kinds = dict(columns)
    if hits:
        kinds |= dict.fromkeys(("rate", "low", "high"), pa.float64())
    kinds["commit"] = pa.int64()
    filled = [{**(rated(row, hits, of) if hits else row), "commit": seq} for row in rows]
    return pa.table({name: pa.array([row.get(name) for row in filled], kind) for name, kind in kinds.items()})


def rated(row: Mapping[str, Any], hits: str, of: str) -> dict[str, Any]:
    """``row`` with the rate of ``hits`` in ``of`` and its Wilson interval; nothing of nothing has none."""
    s = share(row[hits], row[of])
    return {**row, "rate": s.rate, "low": s.low if s.of else None, "high": s.high if s.of else None}


def duration(days: float) -> str:
    """A time for people: minutes, hours or days, whichever is readable."""
    if days < 1 / 24:
        return f"{days * 1440:,.0f} min"
    return f"{days * 24:,.1f} h" if days < 2 else f"{days:,.1f} d"
