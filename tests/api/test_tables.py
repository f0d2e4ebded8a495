"""Rows of JSON become one Arrow table that holds every value of every row."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfactl.api.tables import table_of


@pytest.mark.parametrize(
    ("values", "kind", "stored"),
    [
        ([1, None, 2], pa.int64(), [1, None, 2]),
        ([1, 2.5], pa.float64(), [1.0, 2.5]),
        ([True, None], pa.bool_(), [True, None]),
        ([True, 1], pa.string(), ["true", "1"]),
        (["a", 1, None], pa.string(), ["a", "1", None]),
        ([2**63, 1], pa.string(), ["9223372036854775808", "1"]),
        ([None, None], pa.string(), [None, None]),
        ([[1, "二"]], pa.string(), ['[1, "二"]']),
        ([{}], pa.string(), ["{}"]),
    ],
    ids=["int", "float", "bool", "bool and int", "text and int", "beyond 64 bits", "nothing", "list", "empty object"],
)
def test_a_column_keeps_one_kind_or_becomes_text(values: list[Any], kind: pa.DataType, stored: list[Any]) -> None:
    table = table_of([{"x": value} for value in values])
    assert table.schema.field("x").type == kind
    assert table.column("x").to_pylist() == stored


def test_objects_become_dotted_columns() -> None:
    table = table_of([{"a": {"b": {"c": 1}}, "d": 2}, {"e": "x"}])
    assert table.column_names == ["a.b.c", "d", "e"]
    assert table.to_pylist()[1] == {"a.b.c": None, "d": None, "e": "x"}


def test_no_rows_are_an_empty_table() -> None:
    assert table_of([]).num_rows == 0


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.lists(st.dictionaries(st.text(min_size=1, max_size=5), scalars, max_size=4), max_size=8))
def test_no_value_is_lost(rows: list[dict[str, Any]]) -> None:
    stored = table_of(rows).to_pylist() if any(rows) else []
    for row, kept in zip(rows, stored, strict=False):
        for key, value in row.items():
            if isinstance(kept[key], str) and not isinstance(value, str):
                assert json.loads(kept[key]) == value
            elif isinstance(kept[key], float) and isinstance(value, int):
                assert kept[key] == float(value)
            else:
                assert kept[key] == value
