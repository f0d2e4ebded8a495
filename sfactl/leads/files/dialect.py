"""Find delimiter and header row of delimited text, and the header row of a sheet.

The delimiter is the one that cuts most of the first records into equally many cells, more than one. Two that do so
equally well are ambiguous and must be stated. The header row is where the mapping's columns stand, else where known
headers stand, else the first row of full width whose cells look like names and not like data.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sfactl.api.errors import DataError
from sfactl.leads.files.records import Dialect, records

LOOK = 300
"""How many lines are looked at."""
HEADER_WITHIN = 50
"""Titles above the header may take so many rows."""
_FIRST = (",", ";", "\t", "|")
_SECOND = ("#", "%", "^", "~", ":", "||", "::")
_DATA = re.compile(
    r"[-+]?[\d.,\s%$€£¥]*\d[\d.,\s%]*|\d{1,4}[-/.年]\d{1,2}[-/.月].*|[^@\s]+@[^@\s]+\.\w+|https?://.*|[0-9a-f-]{24,}|\+?[\d\s()-]{7,}",
    re.IGNORECASE,
)

Recognise = Callable[[Sequence[str]], int]
"""Counts how many of a row's cells are headers somebody asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Where the header is. ``index`` counts records from 0; None: there is none."""

    index: int | None
    why: str


def find_dialect(lines: Sequence[str], *, file: str, escape: str | None = None) -> Dialect:
    """The delimiter of ``lines`` (whole lines, without ends). Raises `DataError` where it is ambiguous."""
    lines = [line for line in lines[:LOOK] if line.strip()]
    for group in (_FIRST, _SECOND):
        fits = sorted((f for d in group if (f := _fit(lines, d, escape))), reverse=True)
        if not fits or fits[0][0] < 0.6:
            continue
        if len(fits) > 1 and fits[1][0] >= fits[0][0] - 0.02 and fits[1][1] == fits[0][1]:
            named = " and ".join(repr(f[2]) for f in fits[:2])
            raise DataError(
                f"{file}: the delimiter is ambiguous: {named} both give {fits[0][1]} columns",
                hint="State it in the mapping: [file] delimiter = …",
            )
        delimiter = fits[0][2]
        return Dialect(delimiter=delimiter, escape=escape, blanks=_blank_led(lines, delimiter))
    return Dialect(delimiter=None)


def _fit(lines: Sequence[str], delimiter: str, escape: str | None) -> tuple[float, int, str] | None:
    if not any(delimiter in line for line in lines):
        return None
    dialect = Dialect(delimiter=delimiter, escape=escape, blanks=_blank_led(lines, delimiter))
    widths = Counter(len(r.cells) for r in records(lines, dialect))
    width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1], item[0]))
    if width < 2:
        return None
    # A few lines of another width are titles or faults; most must agree.
    return round(count / sum(widths.values()), 2), width, delimiter


def _blank_led(lines: Sequence[str], delimiter: str) -> bool:
    """Do blanks follow nearly every delimiter (``a, b, c``)?"""
    if delimiter in (" ", "\t"):
        return False
    cut = sum(line.count(delimiter) for line in lines)
    led = sum(line.count(delimiter + " ") for line in lines)
    return cut > 0 and led / cut > 0.9


def find_header(rows: Sequence[Sequence[str]], *, file: str, wanted: Recognise | None, known: Recognise) -> Header:
    """Which of the first rows is the header.

    ``wanted`` counts the mapping's columns in a row (None: no mapping), ``known`` those of the synonym table.
    Raises `DataError` where no row can be it.
    """
    near = [(i, [str(c or "").strip() for c in row]) for i, row in enumerate(rows[:HEADER_WITHIN])]
    for count, why in ((wanted, "the mapping's columns are there"), (known, "known headers")):
        if count is None:
            continue
        best = max(near, key=lambda item: (count(item[1]), -item[0]), default=None)
        if best and count(best[1]) >= (1 if count is wanted else 2 if len(best[1]) > 2 else 1):
            return Header(index=best[0], why=why)
    width = _usual_width(rows)
    for index, row in near:
        filled = [c for c in row if c]
        if len(filled) >= max(0.8 * width, 1) and len(set(filled)) > 0.8 * len(filled) and not _like_data(filled):
            return Header(index=index, why="the first row of names")
    raise DataError(
        f"{file}: no row looks like a header; the first is: {_shown(near[0][1] if near else [])}",
        hint='State it in the mapping: [file] header_row = 1, or header = false with names = ["…", "…"]',
    )


def _usual_width(rows: Sequence[Sequence[str]]) -> int:
    widths = Counter(sum(1 for c in row if str(c or "").strip()) for row in rows[:LOOK])
    return max((w for w, n in widths.items() if n >= 0.2 * sum(widths.values())), default=1)


def _like_data(cells: Sequence[str]) -> bool:
    return sum(1 for c in cells if _DATA.fullmatch(c)) > 0.1 * len(cells)


def _shown(cells: Sequence[str]) -> str:
    text = " | ".join(cells[:6])
    return text[:80] + (" …" if len(cells) > 6 or len(text) > 80 else "")


def unique_names(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Column names made unique: a repeated name gets `` (2)``, a blank one ``columnN``. Also those that repeated."""
    used: set[str] = set()
    doubled: list[str] = []
    made: list[str] = []
    for i, name in enumerate(names, 1):
        plain = re.sub(r"\s+", " ", str(name or "")).strip() or f"column{i}"
        label, n = plain, 1
        while label in used:
            n += 1
            label = f"{plain} ({n})"
        if n > 1:
            doubled.append(plain)
        used.add(label)
        made.append(label)
    return tuple(made), tuple(dict.fromkeys(doubled))
