"""What is kept of a statement's text never changes what the statement answers."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from sfactl.engine import texts
from sfactl.engine.duck import Limits, Query
from sfactl.proofs.world import MadeUp
from sfactl.schemas import Schemas


@pytest.fixture(params=[False, True], ids=["planned", "as written"])
def query(request: pytest.FixtureRequest) -> Iterator[Query]:
    with Query(MadeUp(Schemas(), frozenset()), Limits(threads=1, small=request.param)) as made:
        yield made


COUNTED = {
    "a table": ("create or replace temp table n as select * from range(3)", 3),
    "an empty table": ("create or replace temp table n as select * from range(0)", 0),
    "columns alone": ("create or replace temp table n (a bigint)", 0),
    "a view": ("create or replace temp view n as select 1 as a", 0),
    "a setting": ("set threads = 1", 0),
    "two at once": ("create or replace temp table n (a bigint); drop table n", 0),
}


@pytest.mark.parametrize(("sql", "rows"), COUNTED.values(), ids=COUNTED)
def test_a_statement_says_how_many_rows_it_made(query: Query, sql: str, rows: int) -> None:
    assert [query.run(sql), query.run(sql)] == [rows, rows]


def test_a_statement_that_comes_again_sees_what_is_there_now(query: Query) -> None:
    for number in (1, 2):
        query.run(f"create or replace temp table n as select {number} as a, $b as b", {"b": number})
        assert query.rows("select a, b, $c as c from n", {"c": number * 10}) == [(number, number, number * 10)]


def test_a_table_that_was_registered_can_be_registered_again_after_another(query: Query) -> None:
    one, two = pa.table({"a": [1]}), pa.table({"a": [2]})
    for table in (one, one, two, one):
        query.register("given", table)
        assert query.rows("select a from given") == [(table["a"][0].as_py(),)]
    query.run("create or replace temp view given as select 3 as a")
    assert query.rows("select a from given") == [(3,)]


def test_only_so_many_texts_are_kept(query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MOST", 5)
    for number in range(20):
        assert query.rows(f"select {number}") == [(number,)]
    assert len(texts._parsed) == 5
