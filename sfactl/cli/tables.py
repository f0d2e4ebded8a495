"""Lay out tables for people: columns line up by display width, numbers to the right, rows fit the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

from sfactl.cli.values import shown

GAP = "  "
NARROWEST = 6
ELLIPSIS = "…"


def width(text: str) -> int:
    """Columns of a terminal that ``text`` takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    return max(wcswidth(text), 0)


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """``text`` filled with spaces to ``columns``, on the left if ``right`` (numbers)."""
    fill = " " * max(columns - width(text), 0)
    return fill + text if right else text + fill


def cut(text: str, columns: int) -> str:
    """``text`` shortened to ``columns`` with an ellipsis; never cuts a wide character in two."""
    if width(text) <= columns:
        return text
    kept = ""
    for char in text:
        if width(kept + char) > columns - 1:
            break
        kept += char
    return kept + ELLIPSIS


def terminal_width() -> int | None:
    """Columns to fit into: COLUMNS if set, else the terminal's, None where stdout is not a terminal."""
    if (said := os.environ.get("COLUMNS", "")).isdigit() and int(said) > 0:
        return int(said)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return None


def table(
    names: Sequence[str], rows: Sequence[Sequence[Any]], *, fit: int | None = None, right: Collection[str] = ()
) -> list[str]:
    """Lines of a table with headings; wider tables than ``fit`` have their widest columns shortened.

    Columns of numbers stand to the right, and those in ``right``: numbers that are texts already. Columns for which
    there is no room at all are left out, and the last heading says how many.
    """
    numeric = [name in right or _is_numeric([row[i] for row in rows]) for i, name in enumerate(names)]
    texts = [[shown(value) for value in row] for row in rows]
    widths = [max([width(name), *(width(t[i]) for t in texts)]) for i, name in enumerate(names)]
    if room := _room(widths, numeric, fit):
        names = [*names[:room], f"+{len(names) - room}"]
        texts = [[*row[:room], ""] for row in texts]
        numeric, widths = [*numeric[:room], False], [*widths[:room], width(names[-1])]
    widths = _fitted(widths, numeric, fit)
    lines = []
    for texts_of_row in [list(names), *texts]:
        cells = [pad(cut(t, w), w, right=n) for t, w, n in zip(texts_of_row, widths, numeric, strict=True)]
        lines.append(GAP.join(cells).rstrip())
    return lines


def _is_numeric(values: Sequence[Any]) -> bool:
    filled = [v for v in values if v is not None]
    return bool(filled) and all(isinstance(v, (int, float, Decimal)) and not isinstance(v, bool) for v in filled)


def _room(widths: Sequence[int], numeric: Sequence[bool], fit: int | None) -> int:
    """How many columns fit beside a note of the rest when all are at their narrowest; 0 if all columns fit."""
    least = [w if n else min(w, NARROWEST) for w, n in zip(widths, numeric, strict=True)]
    if fit is None or sum(least) + len(GAP) * (len(least) - 1) <= fit:
        return 0
    used = len("+999")
    for i, w in enumerate(least):
        used += w + len(GAP)
        if used > fit:
            return max(i, 1)
    return len(least)


def _fitted(widths: list[int], numeric: Sequence[bool], fit: int | None) -> list[int]:
    if fit is None:
        return widths
    widths = list(widths)
    # Numbers are never shortened: a cut number is a wrong number.
    while sum(widths) + len(GAP) * (len(widths) - 1) > fit:
        widest = max((w, -i) for i, w in enumerate(widths) if not numeric[i]) if not all(numeric) else (0, 0)
        if widest[0] <= NARROWEST:
            break
        widths[-widest[1]] -= 1
    return widths


def markdown(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Lines of a Markdown table."""
    numeric = [_is_numeric([row[i] for row in rows]) for i in range(len(names))]
    lines = [_bar(names), _bar(["---:" if n else "---" for n in numeric])]
    return lines + [_bar([shown(value).replace("|", "\\|") for value in row]) for row in rows]


def _bar(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
