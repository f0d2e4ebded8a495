"""Stage CSV and its kin. Clean text goes through the engine's parallel reader, strictly; the rest line by line.

The strict reader refuses what it does not understand; then the file is read again by `records`, which gives every
faulty row its number. So a clean file is fast and a dirty one complete.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from sfactl.api.errors import DataError
from sfactl.engine.duck import ROW_GROUP
from sfactl.leads.files.dialect import HEADER_WITHIN, LOOK, find_dialect, find_header, unique_names
from sfactl.leads.files.encoding import LOST, Encoding, detect, stated
from sfactl.leads.files.options import FileOptions, Reading
from sfactl.leads.files.records import Dialect, Record, records
from sfactl.leads.files.scan import Scan, open_bytes, scan
from sfactl.leads.files.staging import GAPS, Staged, Stager

NO_DELIMITER = "\x1f"
"""Given to the engine where a line is one cell; it does not occur in text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """All that was decided about the file before its rows are read. ``first`` is the line of the first data row."""

    found: Scan
    encoding: Encoding
    dialect: Dialect
    columns: tuple[str, ...]
    header_line: int | None
    first: int
    notes: tuple[str, ...]


def stage_delimited(reading: Reading) -> Staged:
    """Read the file into ``reading.into``. Raises `DataError` where encoding, delimiter or header are not clear."""
    found = scan(reading.path)
    if found.size == 0:
        raise DataError(f"{reading.file} is empty")
    options = reading.options
    encoding = (
        stated(options.encoding, where=f"{reading.where}: file.encoding")
        if options.encoding
        else detect(found, file=reading.file)
    )
    shape = _shape(reading, found, encoding)
    rows = _fast(reading, shape)
    fast = rows is not None
    counted = rows is None or _one_line_each(shape, rows)
    if rows is None:
        rows = _slow(reading, shape)
    if rows == 0:
        raise DataError(f"{reading.file} has no rows below its header")
    return Staged(
        path=reading.into,
        columns=shape.columns,
        rows=rows,
        cells_only=fast,
        first=shape.first if counted else None,
        facts=_facts(shape),
        notes=shape.notes,
        lines=None if counted else partial(_line_numbers, reading, shape),
        plain=found.ascii,
        # Where there are NULs, a character may take two bytes, and a scan of bytes says nothing about blanks.
        gaps=found.gaps if fast and counted and not found.nul else GAPS,
    )


def text_lines(path: Path, encoding: Encoding) -> Iterator[str]:
    """Lines without their ends, whatever ends them; bytes that cannot be read become `LOST`, NULs are dropped."""
    with open_bytes(path) as raw:
        codec = "utf-8-sig" if encoding.codec == "utf-8" else encoding.codec
        with io.TextIOWrapper(raw, encoding=codec, errors="replace", newline=None) as text:
            for line in text:
                yield line.rstrip("\n").replace("\0", "") if "\0" in line else line.rstrip("\n")


def _shape(reading: Reading, found: Scan, encoding: Encoding) -> _Shape:
    options = reading.options
    top = list(islice(text_lines(reading.path, encoding), options.skip, options.skip + LOOK))
    if options.header_row:
        top = top[options.header_row - 1 - options.skip :]
    if not any(line.strip() for line in top):
        raise DataError(f"{reading.file} has nothing but blank lines")
    dialect = _dialect(top, options, reading.file)
    start = options.header_row or options.skip + 1
    head = list(islice(records(top, dialect, first_line=start), LOOK))
    index = _header_index(reading, head)
    names = list(options.names) if index is None else head[index].cells
    body = head[0 if index is None else index + 1 :]
    width = max((len(r.cells) for r in body), default=len(names)) if index is None else len(names)
    if index is not None and width > 1 and body and not names[-1].strip():
        names = _without_trailing(names, body)
        width = len(names)
    names = [*names, *("" for _ in range(width - len(names)))]
    columns, doubled = unique_names(names)
    notes = [f"two columns are called {name!r}; the second is {name + ' (2)'!r} here" for name in doubled]
    if found.nul and encoding.is_utf8:
        notes.append("NUL bytes were left out")
    return _Shape(
        found=found,
        encoding=encoding,
        dialect=dialect,
        columns=columns,
        header_line=None if index is None else head[index].line,
        first=start if index is None else _next_line(head, index, top, start),
        notes=tuple(notes),
    )


def _without_trailing(names: list[str], body: list[Record]) -> list[str]:
    """Drop nameless last columns that nothing is in: lines that end with a delimiter."""
    width = len(names)
    while width > 1 and not names[width - 1].strip() and not any(any(r.cells[width - 1 :]) for r in body):
        width -= 1
    return names[:width]


def _next_line(head: list[Record], index: int, top: list[str], start: int) -> int:
    return head[index + 1].line if index + 1 < len(head) else start + len(top)


def _dialect(top: list[str], options: FileOptions, file: str) -> Dialect:
    found = (
        Dialect(delimiter=options.delimiter.replace("\\t", "\t"), escape=options.escape)
        if options.delimiter
        else find_dialect(top, file=file, escape=options.escape)
    )
    return Dialect(delimiter=found.delimiter, quote=options.quote or '"', escape=options.escape, blanks=found.blanks)


def _header_index(reading: Reading, head: list[Record]) -> int | None:
    if reading.options.headless:
        return None
    if reading.options.header_row:
        return 0
    rows = [r.cells for r in head]
    if reading.options.header:
        return 0
    return find_header(
        rows[: HEADER_WITHIN + LOOK], file=reading.file, wanted=reading.wanted, known=reading.known
    ).index


def _facts(shape: _Shape) -> tuple[str, ...]:
    encoding = shape.encoding
    sure = f", {encoding.confidence:.0%} of its characters are usual ones" if encoding.confidence else ""
    label = encoding.label if encoding.why != "ASCII" else "ASCII"
    named = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", None: "one column"}
    header = f"header in row {shape.header_line}" if shape.header_line else "no header"
    return (label + sure, named.get(shape.dialect.delimiter, repr(shape.dialect.delimiter)), header)


def _fast(reading: Reading, shape: _Shape) -> int | None:
    """Rows staged by the engine, or None where it is not sure of the file."""
    found, dialect = shape.found, shape.dialect
    delimiter = dialect.delimiter or NO_DELIMITER
    single = dialect.delimiter is None
    mixed = found.cr > 0 and (found.crlf != found.cr or found.lf != found.crlf)
    utf8 = shape.encoding.is_utf8
    if (found.nul and utf8) or dialect.blanks or len(delimiter) > 1 or (single and found.quote) or dialect.escape:
        return None
    source = reading.path
    lossy = shape.encoding.why == "stated" and not found.ascii
    if not utf8 or found.gzipped or lossy or mixed:
        source = reading.scratch / "utf8.csv"
        if _transcode(reading.path, shape.encoding, source):
            return None
    try:
        reading.query.run(_copy_sql(source, reading.into, shape, delimiter))
    except Exception as err:
        # Whatever the strict reader objects to, the line reader tells it row by row.
        if type(err).__name__ not in {"InvalidInputException", "StorageError", "DataError"} or "CSV" not in str(err):
            raise
        return None
    answer = reading.query.one(f"select count(*) from read_parquet({_quoted(reading.into)})")
    return int(answer[0]) if answer else 0


def _one_line_each(shape: _Shape, rows: int) -> bool:
    """Is every record one line? Blank lines and line ends in quotes would make more lines than records."""
    below = shape.found.lines - (shape.first - 1)
    return below <= rows <= below + 1


def _copy_sql(source: Path, into: Path, shape: _Shape, delimiter: str) -> str:
    width = len(shape.columns)
    columns = ", ".join(f"'c{i}': 'varchar'" for i in range(width))
    return (
        f"copy (from read_csv({_quoted(source)}, auto_detect = false, header = false, skip = {shape.first - 1},"
        f" columns = {{{columns}}}, delim = {_literal(delimiter)}, quote = {_literal(shape.dialect.quote)},"
        f" escape = {_literal(shape.dialect.quote)}, strict_mode = true, null_padding = false, parallel = true))"
        f" to {_quoted(into)} (format parquet, compression snappy, row_group_size {ROW_GROUP})"
    )


def _transcode(path: Path, encoding: Encoding, into: Path) -> bool:
    """Write the text as UTF-8 with plain line ends. True if characters were lost on the way."""
    lost = False
    with open_bytes(path) as raw, into.open("w", encoding="utf-8", newline="\n") as out:
        codec = "utf-8-sig" if encoding.codec == "utf-8" else encoding.codec
        with io.TextIOWrapper(raw, encoding=codec, errors="replace", newline=None) as text:
            while piece := text.read(1 << 20):
                lost = lost or LOST in piece
                out.write(piece)
    return lost


def _slow(reading: Reading, shape: _Shape) -> int:
    lines = islice(text_lines(reading.path, shape.encoding), shape.first - 1, None)
    with Stager(reading.into, len(shape.columns)) as stager:
        for record in records(lines, shape.dialect, first_line=shape.first):
            problem = record.problem
            if problem is None and not shape.found.ascii and any(LOST in c for c in record.cells):
                problem = f"has bytes that are not {shape.encoding.label}"
            stager.add(record.cells, line=record.line, problem=problem)
    return stager.rows


def _line_numbers(reading: Reading, shape: _Shape, rows: set[int]) -> dict[int, int]:
    """The lines on which these records (numbers from 1) begin, for a file staged without line numbers."""
    lines = islice(text_lines(reading.path, shape.encoding), shape.first - 1, None)
    numbered = enumerate(records(lines, shape.dialect, first_line=shape.first), 1)
    return {n: record.line for n, record in islice(numbered, max(rows, default=0)) if n in rows}


def _quoted(path: Path) -> str:
    return _literal(str(path))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
