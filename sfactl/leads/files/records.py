"""Cut text lines into records and records into cells, and never lose a line to a stray quote.

A quoted field may hold line ends. A quote that is opened and never closed would swallow the rest of the file: after
`MAX_LINES` lines its first line is handed out as a faulty record and reading goes on behind it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

MAX_LINES = 2_000
csv.field_size_limit(1 << 26)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How the cells of a line are told apart. ``delimiter`` None: the whole line is one cell.

    ``blanks`` says that blanks follow the delimiter and do not belong to the value.
    """

    delimiter: str | None = ","
    quote: str = '"'
    escape: str | None = None
    blanks: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One record: the number of its first line, its cells, and what is wrong with it."""

    line: int
    cells: list[str]
    problem: str | None = None


def records(lines: Iterable[str], dialect: Dialect, *, first_line: int = 1) -> Iterator[Record]:
    """Records of ``lines`` (each without its line end), blank lines left out."""
    queue: list[str] = []  # lines put back after a quote that never closed
    source = iter(lines)
    number = first_line - 1
    while (line := queue.pop(0) if queue else next(source, None)) is not None:
        number += 1
        if not line.strip():
            continue
        if not dialect.quote or dialect.quote not in line:
            yield Record(number, _plain(line, dialect))
            continue
        taken = [line]
        while not _complete("\n".join(taken), dialect) and len(taken) < MAX_LINES:
            more = queue.pop(0) if queue else next(source, None)
            if more is None:
                break
            taken.append(more)
        text = "\n".join(taken)
        if _complete(text, dialect):
            yield Record(number, _quoted(text, dialect))
            number += len(taken) - 1
        else:
            yield Record(number, _plain(line, dialect), "a quote is opened and never closed")
            queue = taken[1:] + queue


def _plain(line: str, dialect: Dialect) -> list[str]:
    if dialect.delimiter is None:
        return [line]
    cells = line.split(dialect.delimiter)
    return [c.strip() for c in cells] if dialect.blanks else cells


def _quoted(text: str, dialect: Dialect) -> list[str]:
    if dialect.delimiter is None:
        return [text]
    if len(dialect.delimiter) > 1:
        return _plain(text.replace(dialect.quote, ""), dialect)
    reader = csv.reader(
        [text],
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        escapechar=dialect.escape,
        skipinitialspace=dialect.blanks,
        strict=False,
    )
    cells = next(reader, [])
    return [c.strip() for c in cells] if dialect.blanks else cells


def _complete(text: str, dialect: Dialect) -> bool:
    return dialect.delimiter is None or _pattern(dialect).fullmatch(text) is not None


@lru_cache(maxsize=32)
def _pattern(dialect: Dialect) -> re.Pattern[str]:
    """A whole record: every field either does not begin with a quote, or has its closing one."""
    d, q = re.escape(dialect.delimiter or ","), re.escape(dialect.quote)
    blanks = "[ ]*+" if dialect.blanks else ""
    escaped = f"|{re.escape(dialect.escape)}." if dialect.escape else ""
    body = f"[^{q}{re.escape(dialect.escape) if dialect.escape else ''}]"
    quoted = f"{blanks}{q}(?>(?:{body}|{q}{q}{escaped})*){q}(?!{q})(?:(?!{d}).)*"
    plain = f"{blanks}(?!{q})(?:(?!{d}).)*"
    field = f"(?:{quoted}|{plain})"
    return re.compile(f"{field}(?:{d}{field})*", re.DOTALL)
