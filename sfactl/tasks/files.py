"""Read a file of tasks: every row becomes a task to be made, or is given back with the reason.

A row says which task it is with ``key``; without one its title, lead, kind and due date do, so that the same file again
makes nothing.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from pathlib import Path

from sfactl.api.errors import DataError, SfactlError
from sfactl.engine.delimited import BadRow, Row, read_header, read_rows
from sfactl.tasks.model import FILE_COLUMNS, Asked, Line, Rejected


def read_tasks(
    path: Path, *, reps: Collection[str], due: Callable[[str], tuple[datetime, bool]]
) -> Iterator[Line | Rejected]:
    """The tasks of a CSV file, without the numbers of their leads. ``due`` reads when something is due.

    Raises `DataError` for a file that cannot be read, or whose columns are not those of `FILE_COLUMNS`.
    """
    header, _ = read_header(path)
    for name in header:
        if name not in FILE_COLUMNS:
            near = difflib.get_close_matches(name, FILE_COLUMNS, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Columns: {', '.join(FILE_COLUMNS)}"
            raise DataError(f"{path}: unknown column {name!r}", hint=hint)
    if "title" not in header:
        raise DataError(f"{path}: there is no column title", hint=f"Columns: {', '.join(FILE_COLUMNS)}")
    seen: dict[str, int] = {}
    for row in read_rows(path):
        if isinstance(row, BadRow):
            yield Rejected(row=row.number, reason=row.reason)
            continue
        try:
            line = _line(row, reps, due)
        except SfactlError as err:
            yield Rejected(row=row.number, reason=err.message)
            continue
        if line.task.key in seen:
            yield Rejected(row=row.number, reason=f"the same task as in row {seen[line.task.key]}")
            continue
        seen[line.task.key] = row.number
        yield line


def _line(row: Row, reps: Collection[str], due: Callable[[str], tuple[datetime, bool]]) -> Line:
    said = row.values
    if not said["title"]:
        raise DataError("title is empty")
    owner, lead = said.get("owner", ""), said.get("lead", "")
    if owner and owner not in reps:
        raise DataError(f"owner: there is no rep {owner!r}")
    until = said.get("due", "")
    parts = [said["title"], lead.lower(), said.get("kind", ""), until]
    due_at, due_runs = due(until) if until else (None, False)
    task = Asked(
        key=f"import.{said.get('key') or hashlib.sha256(chr(31).join(parts).encode()).hexdigest()[:24]}",
        title=said["title"],
        kind=said.get("kind") or "call",
        owner=owner,
        due_at=due_at,
        due_runs=due_runs,
        content=said.get("content", ""),
        type=said.get("type", ""),
    )
    return Line(row=row.number, lead=lead, task=task)
