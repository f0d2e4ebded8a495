"""Why not: applying the smallest change makes the term true, and no smaller one would."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfactl.engine.conditions.change import smallest_change, step
from sfactl.engine.conditions.explain import ask
from sfactl.schemas import core_schemas

NOW = datetime(2026, 11, 21, 9)
FIELDS = {
    "employees": st.integers(-50, 50),
    "budget": st.decimals(-50, 50, places=4),
    "birth_date": st.dates(date(1990, 1, 1), date(1990, 3, 1)),
    "country": st.sampled_from(["TW", "JP", "DE", "o'x"]),
}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        types = core_schemas()["leads"].types
        opened.execute(f"create table leads ({', '.join(f'{c} {types[c]}' for c in ('lead_id', *FIELDS))})")
        yield opened


@st.composite
def terms(draw: st.DrawFn) -> tuple[str, str, object]:
    """A simple term, its field, and a value of the field for which to ask."""
    name = draw(st.sampled_from(sorted(FIELDS)))
    values = FIELDS[name]
    bound = draw(values if name != "employees" else st.integers(-50, 50) | st.decimals(-50, 50, places=2))
    actual = draw(st.none() | values)
    op = draw(st.sampled_from(["=", "<>", "<", "<=", ">", ">="] if name != "country" else ["=", "<>"]))
    form = draw(st.sampled_from(["compare", "mirror", "in", "between", "not"]))
    if form == "mirror":
        return f"{written(bound)} {op} {name}", name, actual
    if form == "in":
        return f"{name} in ({written(bound)}, {written(draw(values))})", name, actual
    if form == "between" and name != "country":
        low, high = sorted([draw(values), draw(values)])
        return f"{name} between {written(low)} and {written(high)}", name, actual
    text = f"{name} {op} {written(bound)}"
    return (f"not ({text})" if form == "not" else text), name, actual


def written(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'" if isinstance(value, str | date) else str(value)


def answer(connection: duckdb.DuckDBPyConnection, text: str, name: str, value: object) -> tuple[bool | None, object]:
    question = ask(text, schemas=core_schemas(), now=NOW)
    connection.execute("truncate leads")
    connection.execute(f"insert into leads (lead_id, {name}) values (1, ?)", [value])
    term = question.terms[0]
    sql = f"select {term.column}, {term.value_column} from ({question.sql})"
    row = connection.execute(sql, {**question.params, "key": 1}).fetchone()
    assert row is not None
    return row[0], row[1]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=terms())
def test_applying_the_change_makes_the_term_true(
    connection: duckdb.DuckDBPyConnection, asked: tuple[str, str, object]
) -> None:
    text, name, value = asked
    holds, actual = answer(connection, text, name, value)
    need = ask(text, schemas=core_schemas(), now=NOW).terms[0].needs[0]
    if holds:
        return
    change = smallest_change(need, actual)
    assert change is not None
    if change.target is None:
        assert need.operator in ("<>", "not in")
        return
    fractional = isinstance(change.target, Decimal) and change.target % 1 != 0
    if need.operator in ("=", "in") and name == "employees" and fractional:
        return  # no whole number can equal a fraction
    target = _stored(name, change.target, need.operator)
    assert answer(connection, text, name, target)[0] is True
    least = step(need.kind)
    if need.operator in (">", "<") and actual is not None and least is not None:
        nearer = target - least if need.operator == ">" else target + least  # type: ignore[operator]
        assert answer(connection, text, name, nearer)[0] is False


def _stored(name: str, target: object, op: str) -> object:
    if name == "employees" and isinstance(target, Decimal):
        return int(target.to_integral_value(rounding="ROUND_CEILING" if op == ">=" else "ROUND_FLOOR"))
    return target


CHANGES = {
    "count": ("count(orders) >= 5", 3, "count(orders) 5 (2 more)"),
    "score": ("score.intent >= 50", 47.0, "score.intent 50 (3 more)"),
    "above a score": ("score.intent > 50", 47.0, "score.intent more than 50"),
    "has": ("has(orders) filter (where status = 'paid')", 0, "has(orders) filter (where status = 'paid') 1 (1 more)"),
    "not has": ("not has(orders)", 2, "has(orders) 0 (2 fewer)"),
    "membership": ("member_of('asia')", None, "membership of asia"),
    "no membership": ("not member_of('asia')", None, "no membership of asia"),
    "empty": ("city is null", "x", "city empty"),
    "filled": ("city is not null", None, "city filled in"),
    "either": ("country in ('TW', 'JP')", "DE", "country one of 'TW', 'JP'"),
    "mean": ("avg(orders.amount) > 1000", 10.0, "avg(orders.amount) more than 1000"),
    "sum": ("sum(orders.amount) > 1000", Decimal("999.9"), "sum(orders.amount) 1000.0001 (0.1001 more)"),
}


@pytest.mark.parametrize(("text", "actual", "words"), CHANGES.values(), ids=CHANGES.keys())
def test_the_change_in_words(text: str, actual: object, words: str) -> None:
    need = ask(text, schemas=core_schemas(), now=NOW).terms[0].needs[0]
    change = smallest_change(need, actual)
    assert change is not None
    assert change.text == words


TERMS = {
    "in order": ("country = 'x' and employees > 5", ["country = 'x'", "employees > 5"]),
    "brackets around all": ("((country = 'x' and employees > 5))", ["country = 'x'", "employees > 5"]),
    "or is one term": ("country = 'x' or employees > 5", ["country = 'x' or employees > 5"]),
    "between": ("employees between 1 and 5 and city = 'a'", ["employees between 1 and 5", "city = 'a'"]),
    "and inside a filter": (
        "has(orders) filter (where status = 'paid' and amount > 5)\n  and city = 'a and b'",
        ["has(orders) filter (where status = 'paid' and amount > 5)", "city = 'a and b'"],
    ),
    "and inside or": (
        "(city = 'a' and country = 'b' or employees > 5) and city = 'c'",
        ["(city = 'a' and country = 'b' or employees > 5)", "city = 'c'"],
    ),
}


@pytest.mark.parametrize(("text", "texts"), TERMS.values(), ids=TERMS.keys())
def test_terms_are_shown_as_written(text: str, texts: list[str]) -> None:
    assert [term.text for term in ask(text, schemas=core_schemas(), now=NOW).terms] == texts
