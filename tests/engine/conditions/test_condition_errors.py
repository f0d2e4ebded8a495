"""Every mistake in a condition is found before anything runs, at its position, with the nearest name."""

from __future__ import annotations

from datetime import datetime

import pytest

from sfactl.api.errors import ConditionError, NotFound
from sfactl.engine.conditions import Condition, compile_condition, compile_many
from sfactl.schemas import Schemas, core_schemas

NOW = datetime(2026, 11, 21, 9)

MISTAKES = {
    "unknown field": ("contry = 'x'", 1, 'unknown field "contry" of lead. Did you mean "country"?'),
    "later in the text": ("country in ('TW', 'JP') and (not contry = 'x')", 34, 'unknown field "contry" of lead.'),
    "second line": ("country = 'TW'\nand contry = 'x'", 20, 'unknown field "contry"'),
    "field of a filter": (
        "has(touchpoints) filter (where knd = 'x')",
        32,
        'unknown field "knd" of touchpoints or lead. Did you mean "kind"?',
    ),
    "unknown relation": ("count(order) > 1", 7, 'unknown relation "order". Did you mean "orders"?'),
    "unknown qualifier": ("account.name = 'x'", 1, 'unknown relation "account". Did you mean "accounts"?'),
    "unknown field of a relation": (
        "sum(orders.amont) > 1",
        12,
        'unknown field "amont" of orders. Did you mean "amount"?',
    ),
    "bare relation": ("orders > 1", 1, '"orders" has many rows'),
    "column of many rows": ("orders.amount > 1", 1, "has many values. Put count, sum"),
    "column of another relation": ("has(touchpoints) filter (where orders.amount > 1)", 32, "cannot be used inside"),
    "text and number": ("country = 5", 11, "country is text, 5 is a number. Write text in single quotes"),
    "number and text": ("employees = '5'", 13, "Write numbers without quotes"),
    "text is no condition": ("not country", 5, "country is text, but a condition is needed here"),
    "number is no condition": ("country = 'x' or 5", 18, "5 is a number, but a condition is needed"),
    "wrong date": ("birth_date > '2000-13-01'", 14, "'2000-13-01' is not a date. Write it as 2026-01-31"),
    "wrong time": ("created_at > 'yesterday'", 14, "'yesterday' is not a time"),
    "date and number": ("birth_date > 5", 14, "birth_date is a date, 5 is a number"),
    "equals null": ("country = null", 1, 'Write "is null" or "is not null"'),
    "null in a list": ("country in ('x', null)", 1, 'Write "is null"'),
    "empty list": ("country in ()", 1, "at least one value"),
    "aggregate of everything": ("count(*) > 1", 1, "count() needs a relation, such as count(orders)"),
    "sum of rows": ("sum(orders) > 1", 5, "such as sum(orders.amount)"),
    "sum of text": ("sum(orders.status) > 1", 5, "sum() needs numbers, but orders.status is text"),
    "has of a column": ("has(orders.amount)", 5, "Write has(orders)"),
    "distinct rows": ("count(distinct orders) > 1", 16, "needs a column of orders"),
    "distinct sum": ("sum(distinct orders.amount) > 1", 1, "distinct goes with count only"),
    "aggregate in aggregate": (
        "has(orders) filter (where count(touchpoints) > 1)",
        27,
        "does not go inside an aggregate",
    ),
    "membership in aggregate": ("has(orders) filter (where member_of('x'))", 27, "does not go inside an aggregate"),
    "filter without aggregate": ("lower(country) filter (where true) = 'x'", 1, "FILTER goes with"),
    "window outside": ("within('90 days')", 1, "goes inside a FILTER"),
    "window of text": ("within('90 days', country)", 19, "needs a date or a time, but country is text"),
    "wrong period": ("within('90 dayz', created_at)", 8, "unknown unit 'dayz'"),
    "period without quotes": ("within(90, created_at)", 8, "needs a text in single quotes"),
    "too few arguments": ("within()", 1, "within() takes 1 to 2 arguments, not 0"),
    "too many arguments": ("has(orders, touchpoints)", 1, "has() takes 1 argument, not 2"),
    "too many for a known function": ("lower(country, 'x') = 'a'", 19, "too many arguments"),
    "text function on a number": ("upper(employees) = 'X'", 7, "upper() needs text, but employees is a number"),
    "arithmetic on text": ("country + 1 > 2", 1, "+ needs numbers, but country is text"),
    "order of yes/no": ("(country = 'x') > (city = 'y')", 2, "yes/no values have no order"),
    "like on a number": ("employees like '5%'", 1, "like compares text, but employees is a number"),
    "look-around": ("regexp_matches(email, '(?=a)')", 23, "look-around"),
    "broken pattern": ("regexp_matches(email, '(')", 23, "does not parse"),
    "subquery": ("country in (select 1)", 1, "a query may not be used"),
    "exists": ("exists(select 1)", 15, "a query may not be used"),
    "scalar subquery": ("employees > (select 1)", 21, "a query may not be used"),
    "question mark": ("country = ?", 1, "a parameter may not be used"),
    "dollar parameter": ("country = $now", 1, "a parameter may not be used"),
    "function that reads files": ("read_csv('/etc/passwd') = 1", 1, "the function read_csv() may not be used"),
    "random": ("random() > 0.5", 1, "may not be used"),
    "cast": ("cast(employees as varchar) = '5'", 6, "a cast may not be used"),
    "case": ("case when true then 1 else 2 end = 1", 21, "may not be used"),
    "window function": ("count(touchpoints) over () > 1", 1, "may not be used"),
    "statement": ("drop table leads", 1, "'drop' does not belong here"),
    "second statement": ("country = 'x'; drop table leads", 16, "'drop' does not belong here"),
    "alias": ("country = 'x' as y", 15, "'as' does not belong here"),
    "open bracket": ("(((country = 'x'", 14, "a bracket is not closed"),
    "extra bracket": ("country = 'x')", 14, "')' does not belong here"),
    "open quote": ("country = 'abc", 11, "a quote is not closed"),
    "nothing after and": ("country = 'x' and", 15, "something is missing beside 'and'"),
    "empty": ("  ", 1, "the condition is empty"),
    "comment only": ("-- nothing", 1, "the condition is empty"),
    "long number": ("employees = 1234567890123456789", 13, "more than 18 digits"),
    "huge exponent": ("employees = 1e999", 13, "too large"),
    "too deep": ("(" * 4000 + "true" + ")" * 4000, 1, "nested too deeply"),
    "too long": ("country = 'x'" + " " * 20_000, 20_001, "longer than"),
    "score with too many parts": ("score.intent.grade.x = 'A'", 1, "score.NAME"),
}


@pytest.mark.parametrize(("text", "position", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_found_at_its_position(text: str, position: int, says: str) -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition(text, schemas=core_schemas(), now=NOW, where="segments/hot.toml: where")
    assert caught.value.message.startswith(f"segments/hot.toml: where, position {position}: ")
    assert says in caught.value.message


def test_without_a_place_the_message_begins_with_the_position() -> None:
    with pytest.raises(ConditionError, match=r"^position 1: unknown field"):
        compile_condition("contry = 'x'", schemas=core_schemas(), now=NOW)


def test_known_segments_and_scores_are_checked() -> None:
    with pytest.raises(ConditionError, match=r'unknown segment "hott". Did you mean "hot"'):
        compile_condition("member_of('hott')", schemas=core_schemas(), now=NOW, segments={"hot"})
    with pytest.raises(ConditionError, match=r'unknown score "intend". Did you mean "intent"'):
        compile_condition("score.intend > 5", schemas=core_schemas(), now=NOW, scores={"intent"})


def test_segments_in_a_circle_are_an_error_that_shows_the_circle() -> None:
    circle = [
        Condition(name=a, text=f"member_of('{b}')", where=f"segments/{a}.toml: where") for a, b in ("ab", "bc", "ca")
    ]
    with pytest.raises(
        ConditionError, match=r"segments depend on each other: (a → b → c → a|b → c → a → b|c → a → b → c)"
    ):
        compile_many(circle, schemas=core_schemas(), now=NOW, as_segments=True)


def test_the_entity_must_exist() -> None:
    with pytest.raises(NotFound, match="Did you mean"):
        compile_condition("true", entity="lead", schemas=core_schemas(), now=NOW)


def test_custom_fields_have_names_and_types() -> None:
    schemas = Schemas({"leads": {"vat_group": "text", "seats": "integer"}})
    compile_condition("vat_group = 'x' and seats > 5", schemas=schemas, now=NOW)
    with pytest.raises(ConditionError, match='Did you mean "vat_group"'):
        compile_condition("vat_grup = 'x'", schemas=schemas, now=NOW)
    with pytest.raises(ConditionError, match="seats is a number"):
        compile_condition("seats = 'x'", schemas=schemas, now=NOW)


def test_an_entity_without_a_relation_of_scores_says_so() -> None:
    with pytest.raises(ConditionError, match="a product has no scores"):
        compile_condition("score.intent > 5", entity="products", schemas=core_schemas(), now=NOW)
