"""Every example of docs/conditions.md compiles, and its sample of an error is the real one."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from sfactl.api.errors import ConditionError
from sfactl.engine.conditions import compile_condition
from sfactl.engine.conditions.explain import ask
from sfactl.engine.conditions.moments import PARTS
from sfactl.engine.periods import MONTHS, SECONDS
from sfactl.schemas import core_schemas

TEXT = (Path(__file__).parents[2] / "docs" / "conditions.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
NOW = datetime(2026, 11, 21, 9)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    opened = duckdb.connect()
    schemas = core_schemas()
    for name in schemas:
        columns = ", ".join(f'"{c}" {t}' for c, t in schemas[name].types.items())
        opened.execute(f"create table {name} ({columns})")
    return opened


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_compiles_runs_and_can_be_explained(connection: duckdb.DuckDBPyConnection, example: str) -> None:
    compiled = compile_condition(example, schemas=core_schemas(), now=NOW)
    assert connection.execute(compiled.sql, compiled.params).fetchall() == []
    question = ask(example, schemas=core_schemas(), now=NOW)
    assert connection.execute(question.sql, {**question.params, "key": 1}).fetchall() == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 15


def test_the_sample_of_an_error_is_real() -> None:
    sample = re.search(r"```text\n(.*?)\n```", TEXT, re.DOTALL)
    assert sample is not None
    with pytest.raises(ConditionError) as caught:
        compile_condition(
            "country in ('TW', 'JP') and (not contry = 'x')",
            schemas=core_schemas(),
            now=NOW,
            where="segments/hot.toml: where",
        )
    assert caught.value.message == sample[1]


@pytest.mark.parametrize(
    "word", [*PARTS.values(), *(f"{unit}s" for unit in (*SECONDS, *MONTHS)), "touchpoints", "order_lines"]
)
def test_the_lists_of_words_are_complete(word: str) -> None:
    assert word in TEXT
