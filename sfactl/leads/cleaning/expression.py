"""What cleaning one field comes to: SQL for its value, for what is wrong with it, and for what is counted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from sfactl.engine.duck import Query

if TYPE_CHECKING:
    import pyarrow as pa

PARALLEL = 100_000
"""From so many distinct values on, Python works on both cores; below, starting processes costs more than it saves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """SQL for one field, in layers so that nothing costly is computed twice.

    ``early`` are columns computed over the cells (alias ``s``) and the lookups that ``joins`` bring in; ``steps`` are
    computed over these.
    ``value``, ``problem`` (the reason for refusing the row, or null) and ``counts`` (what is counted → the condition
    under which a row counts) are over the result, again with the alias ``s``. ``doubt`` is the condition under which
    the value needs a second look in Python; the rows then keep ``raw``, its text, and ``place``, its country.
    """

    value: str
    problem: str = "null"
    joins: tuple[str, ...] = ()
    early: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, str] = field(default_factory=dict)
    doubt: str | None = None
    raw: str = "null"
    place: str = "null"


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def name(column: str) -> str:
    """A column name as an SQL identifier."""
    return '"' + column.replace('"', '""') + '"'


def in_list(texts: Iterable[str]) -> str:
    """An SQL list of texts, never empty."""
    return ", ".join(literal(t) for t in texts) or "null"


def among(text: str, texts: Iterable[str]) -> str:
    """SQL: is the SQL ``text``, in any case, one of ``texts``? For long lists inside a CASE.

    The engine makes a join of a long IN list and asks it for every row; a pattern is looked at only where its branch is
    reached.
    """
    return f"regexp_full_match({text}, {literal('(?i:' + '|'.join(re.escape(t) for t in texts) + ')')})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """SQL for the second look at one field, over doubted clean rows (alias ``c``) joined with answers from Python."""

    join: str
    value: str
    problem: str
    counts: Mapping[str, str]


Answer = tuple[Any, ...]


def look_up(
    query: Query,
    sql: str,
    table: str,
    work: Callable[[Sequence[Answer]], list[Answer]],
    columns: Sequence[str],
) -> int:
    """Answer the distinct rows of ``sql`` in Python and register them as ``table`` with ``columns`` behind the inputs.

    ``work`` takes rows and gives as many rows; it must be importable by name, since many rows are split over processes.
    """
    import pyarrow as pa

    asked = query.table(sql)
    rows = list(zip(*(c.to_pylist() for c in asked.columns))) if asked.num_rows else []
    answers = _spread(rows, work) if len(rows) >= PARALLEL else work(rows)
    made: list[pa.Array] = [pa.array(list(c), pa.string()) for c in zip(*answers)] if answers else []
    made = made or [pa.array([], pa.string()) for _ in columns]
    query.register(table, pa.table([*asked.columns, *made], names=[*asked.column_names, *columns]))
    return len(rows)


def _spread(rows: Sequence[Answer], work: Callable[[Sequence[Answer]], list[Answer]]) -> list[Answer]:
    step = max(len(rows) // 8, 5_000)
    pieces = [rows[i : i + step] for i in range(0, len(rows), step)]
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        return [answer for part in pool.map(work, pieces) for answer in part]
