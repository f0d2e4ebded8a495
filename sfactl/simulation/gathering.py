"""Which rows of a dataset some conditions can ask for: hundreds of runs need not read the others each time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from sfactl.engine.conditions.model import CompiledMany
from sfactl.engine.texts import words
from sfactl.schemas import Dataset
from sfactl.simulation.rows import literal
from sfactl.simulation.world import LINK, moment

MARGIN = timedelta(days=2)
"""Where clocks are turned, a window that begins later may reach back further."""


def rows_asked(compiled: Sequence[CompiledMany], schema: Dataset) -> str | None:
    """A SELECT of the rows and columns of ``schema`` that can matter to any of ``compiled``, then or later.

    None where it may be all rows, or where nobody asks for any.
    """
    asking = [one for one in compiled if schema.name in one.relations]
    tests = [_only(one, schema.name) for one in asking]
    if not asking or None in tests:
        return None
    named = frozenset[str]().union(*(words(one.sql) | words(one.among_sql) for one in asking))
    kept = {LINK, schema.time or LINK, *(column for column in schema.types if column.lower() in named)}
    columns = ", ".join(f'"{column}"' for column in schema.types if column in kept)
    told = f"select {columns} from {schema.name} as r where ({' or '.join(dict.fromkeys(filter(None, tests)))})"
    since = [one.since.get(schema.name) for one in asking]
    if schema.time is None or None in since:
        return told
    return f'{told} and r."{schema.time}" >= {moment(min(t for t in since if t) - MARGIN)}'


def _only(compiled: CompiledMany, dataset: str) -> str | None:
    """The test that all rows meet which a statement can ask for; None where it is not known."""
    windows = [window for window in compiled.windows or () if window.dataset == dataset]
    found = {window.only for window in windows}
    if len(found) != 1 or (only := found.pop()) is None:
        return None
    column, values = only
    return _one_of(column, values)


def _one_of(column: str, values: Iterable[str]) -> str:
    tests = [f'r."{column}" = {literal(value)}' for value in values]
    return f"({' or '.join(tests)})" if tests else "false"
