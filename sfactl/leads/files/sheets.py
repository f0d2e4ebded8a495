"""Stage spreadsheets: XLSX, XLS and ODS. Cells become the text a person sees, dates become ISO dates.

A workbook with several filled sheets is read from the one whose header is known best; the others are named in a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from sfactl.api.errors import DataError, SfactlError
from sfactl.leads.files.dialect import LOOK, find_header, unique_names
from sfactl.leads.files.options import Reading
from sfactl.leads.files.staging import Staged, Stager


def stage_sheet(reading: Reading) -> Staged:
    """Read one sheet into ``reading.into``. Raises `DataError` where it cannot be read or has no header."""
    try:
        return _staged(reading)
    except (SfactlError, KeyboardInterrupt, SystemExit, MemoryError, OSError):
        raise
    except BaseException as err:
        # In the middle of a broken workbook the library may panic, which is no Exception.
        if not isinstance(err, Exception) and type(err).__name__ != "PanicException":
            raise
        raise DataError(f"{reading.file} cannot be read as a spreadsheet: {err}") from err


def _staged(reading: Reading) -> Staged:
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(str(reading.path))
    name, notes = _choose(book, reading)
    sheet = book.get_sheet_by_name(name)
    top = (sheet.start or (0, 0))[0]
    head = [[as_text(c) or "" for c in row] for row in islice(_rows(sheet), LOOK)]
    index = _header_index(reading, head, top)
    names = list(reading.options.names) if index is None else head[index]
    body = head[0 if index is None else index + 1 :]
    width = max((_filled_width(r) for r in (names, *body)), default=0)
    names = [*names[:width], *("" for _ in range(width - len(names)))]
    columns, doubled = unique_names(names)
    first = (top if index is None else top + index + 1) + reading.options.skip * (index is None)
    with Stager(reading.into, width) as stager:
        for number, row in enumerate(_rows(sheet), top):
            if number >= first and any(c not in ("", None) for c in row):
                stager.add(_fit([as_text(c) for c in row], width), line=number + 1)
    if stager.rows == 0:
        raise DataError(f"{reading.file}, sheet {name}, has no rows below its header")
    header = f"header in row {top + index + 1}" if index is not None else "no header"
    return Staged(
        path=reading.into,
        columns=columns,
        rows=stager.rows,
        facts=(f"sheet {name}", header),
        notes=(*notes, *(f"two columns are called {d!r}; the second is {d + ' (2)'!r} here" for d in doubled)),
    )


def as_text(cell: Any) -> str | None:
    """A cell as text: whole numbers without a decimal point, dates as ISO, blanks as None."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, str):
        return cell.replace("\0", "")
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)


def _rows(sheet: Any) -> Any:
    # The iterator of the library hands out rows from the sheet's first used one, in bounded memory.
    return sheet.iter_rows()


def _fit(row: list[str | None], width: int) -> list[str | None]:
    if len(row) > width and not any(row[width:]):
        row = row[:width]
    return [*row, *[None] * (width - len(row))]


def _filled_width(row: Sequence[str]) -> int:
    return max((i for i, c in enumerate(row, 1) if str(c).strip()), default=0)


def _choose(book: Any, reading: Reading) -> tuple[str, tuple[str, ...]]:
    names: list[str] = list(book.sheet_names)
    stated = reading.options.sheet
    if isinstance(stated, int):
        if not 1 <= stated <= len(names):
            raise DataError(f"{reading.file} has {len(names)} sheets", hint=f"{reading.where}: file.sheet: {stated}")
        return names[stated - 1], ()
    if stated is not None:
        if stated not in names:
            raise DataError(f"{reading.file} has no sheet {stated!r}", hint=f"It has: {', '.join(names)}")
        return stated, ()
    filled = [n for n in names if book.get_sheet_by_name(n).height]
    if not filled:
        raise DataError(f"{reading.file} is empty")
    if len(filled) == 1:
        return filled[0], ()
    best = max(filled, key=lambda n: (_recognised(book, n, reading), -filled.index(n)))
    others = ", ".join(n for n in filled if n != best)
    return best, (f"read sheet {best!r}; not read: {others} (another one: [file] sheet = …)",)


def _recognised(book: Any, name: str, reading: Reading) -> int:
    rows = [[as_text(c) or "" for c in row] for row in islice(book.get_sheet_by_name(name).iter_rows(), 30)]
    count = reading.wanted or reading.known
    return max((count(r) for r in rows), default=0)


def _header_index(reading: Reading, head: list[list[str]], top: int) -> int | None:
    options = reading.options
    if options.headless:
        return None
    if options.header_row:
        if not top < options.header_row <= top + len(head):
            raise DataError(
                f"{reading.file} has nothing in row {options.header_row}", hint=f"{reading.where}: file.header_row"
            )
        return options.header_row - 1 - top
    if options.header:
        return 0
    return find_header(head, file=reading.file, wanted=reading.wanted, known=reading.known).index
