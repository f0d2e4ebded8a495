"""Turn the rows of a JSON source into an Arrow table, the same way for every plugin."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

INT64 = range(-(2**63), 2**63)
EXACT = range(-(2**53), 2**53 + 1)
"""Integers that a double holds exactly."""


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """One Arrow table of ``rows`` made of JSON values, with a column for every key that occurs.

    An object becomes columns with dotted names (``address.city``), a list becomes JSON text. A column whose values are
    of one kind keeps it (boolean, integer, number, text); one with several kinds, or with integers beyond what
    the column could hold exactly, becomes text, written as JSON writes it. Missing keys are NULL.
    """
    import pyarrow as pa

    flat = [dict(_flat(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    return pa.table({name: _column([row.get(name) for row in flat]) for name in names})


def _flat(row: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in row.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            is_nested = isinstance(value, (Mapping, list, tuple))
            yield f"{prefix}{key}", json.dumps(value, ensure_ascii=False) if is_nested else value


def _column(values: list[Any]) -> pa.Array:
    import pyarrow as pa

    given = [value for value in values if value is not None]
    kinds = {type(value) for value in given}
    if kinds == {int} and all(value in INT64 for value in given):
        return pa.array(values, pa.int64())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds in ({float}, {int, float}) and all(isinstance(value, float) or value in EXACT for value in given):
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
