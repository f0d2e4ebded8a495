"""Every form of the language on one known lead: boundaries, nulls, empty groups, text folding, exact numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest

from sfactl.engine.conditions import Condition, compile_condition, compile_many
from sfactl.schemas import Schemas

NOW = datetime(2026, 11, 21, 9)
SCHEMAS = Schemas({"leads": {"vip": "boolean", "seats": "integer", "order": "text"}})
LEAD = {
    "lead_id": 1,
    "country": "TW",
    "city": None,
    "company": "台灣雷射 LASER Straße",
    "email": "a.b@x.com",
    "employees": 50,
    "budget": Decimal("1000.0000"),
    "birth_date": date(1990, 11, 30),
    "created_at": datetime(2026, 8, 23, 9),
    "first_contact_on": date(2026, 8, 23),
    "vip": True,
    "seats": 9_223_372_036_854_775_807,
    "order": "x",
}
ORDERS = [
    (1, "2026-11-18 09:00", "paid", "1000"),
    (1, "2026-11-18 08:59:59", "paid", "1000"),
    (1, "2026-11-22 00:00", "paid", "9999"),
]

FORMS = {
    # comparisons and kinds
    "equal": ("country = 'TW'", True),
    "case matters in =": ("country = 'tw'", False),
    "mirrored": ("100 > employees", True),
    "exact decimal": ("budget > 1000", False),
    "exact decimal at the bound": ("budget >= 1000.0000", True),
    "a hair above": ("budget > 999.9999", True),
    "whole and decimal": ("employees = 50.0", True),
    "double": ("employees < 5.1e1", True),
    "date from text": ("birth_date = '1990-11-30'", True),
    "date literal": ("birth_date > date '1990-11-29'", True),
    "time against a day is its first moment": ("created_at >= '2026-08-23'", True),
    "time against a day, not its last": ("created_at <= '2026-08-23'", False),
    "time with zone is turned to UTC": ("created_at = '2026-08-23T17:00:00+08:00'", True),
    "date against time": ("first_contact_on < created_at", True),
    "yes/no alone": ("vip", True),
    "yes/no compared": ("vip = false", False),
    "is true": ("vip is true", True),
    "distinct from null": ("city is distinct from 'x'", True),
    "not distinct from null": ("city is not distinct from null", True),
    "names in any case": ("COUNTRY = 'TW' AND Leads.Country = 'TW'", True),
    "quoted name": ("\"order\" = 'x'", True),
    # three-valued logic
    "null equals nothing": ("city = 'x'", False),
    "null differs from nothing": ("city <> 'x'", False),
    "not unknown is unknown": ("not city = 'x'", False),
    "unknown or true": ("city = 'x' or country = 'TW'", True),
    "unknown and true": ("city = 'x' and country = 'TW'", False),
    "null in a list": ("city in ('x')", False),
    "null not in a list": ("city not in ('x')", False),
    "is null": ("city is null", True),
    "coalesce": ("coalesce(city, 'none') = 'none'", True),
    # text
    "like": ("email like 'a._@%.com'", True),
    "like with wildcards": ("email like 'a__@%.com'", True),
    "like is case sensitive": ("email like 'A%'", False),
    "ilike": ("email ilike 'A.B@%'", True),
    "not like": ("email not like 'z%'", True),
    "escaped": ("'50%' like '50!%' escape '!'", True),
    "contains folds width and case": ("contains(company, 'ｌａｓｅｒ')", True),
    "contains Chinese": ("contains(company, '雷射')", True),
    "contains takes % literally": ("contains(company, '%')", False),
    "contains null": ("not contains(city, 'x')", False),
    "starts_with": ("starts_with(email, 'A.')", True),
    "regular expression": ("regexp_matches(email, '^a[.]b@')", True),
    "lower, upper, length, trim": (
        "lower(email) = 'a.b@x.com' and upper(country) = 'TW' and length(trim(' a ')) = 1",
        True,
    ),
    "length counts characters": ("length('雷射') = 2", True),
    "joined text": ("country || '-' || email = 'TW-a.b@x.com'", True),
    "nullif": ("nullif(country, 'TW') is null", True),
    # numbers
    "arithmetic": ("employees * 2 + 1 = 101 and employees - 51 = -1 and -employees < 0", True),
    "no overflow": ("seats + seats > 9e18 and seats * seats > 1e37 and abs(-seats) = seats", True),
    "true division": ("employees / 4 = 12.5", True),
    "dividing by zero is unknown": ("employees / 0 > 0 or not employees / 0 > 0", False),
    "remainder": ("employees % 7 = 1", True),
    "remainder by zero is unknown": ("employees % 0 = 0", False),
    "round half away": ("round(2.5) = 3 and round(-2.5) = -3 and round(budget / 3, 1) = 333.3", True),
    "percentage of money is exact": ("budget * 1.1 = 1100", True),
    # dates
    "parts": (
        "year(birth_date) = 1990 and month(birth_date) = 11 and day(birth_date) = 30 and quarter(created_at) = 3",
        True,
    ),
    "extract": ("extract(month from birth_date) = month(today())", True),
    "weekday": ("isodow(date '2026-11-21') = 6 and hour(created_at) = 9", True),
    "days since": ("days_since(created_at) = 90 and days_since(first_contact_on) = 90", True),
    "now": ("created_at < now() and now() = timestamp '2026-11-21 09:00:00'", True),
    "window of a time includes its start": ("within('90 days', created_at)", True),
    "window of a date includes its start": ("within('90 days', first_contact_on)", True),
    "one day less is too short": ("within('89 days', created_at)", False),
    "months follow the calendar": ("within('3 months', created_at) and not within('2 months', created_at)", True),
    # many rows
    "three days, inclusive": ("count(orders) filter (where within('3 days')) = 1", True),
    "the future is never seen": ("count(orders) = 2 and max(orders.amount) < 9999", True),
    "mean exactly at the bound": ("avg(orders.amount) > 1000", False),
    "mean at the bound": ("avg(orders.amount) >= 1000", True),
    "empty count is 0": ("count(touchpoints) = 0", True),
    "empty has is no": ("not has(touchpoints)", True),
    "empty sum is null": ("sum(touchpoints.value) is null", True),
    "empty sum is not above": ("sum(touchpoints.value) > 0 or sum(touchpoints.value) <= 0", False),
    "empty mean is unknown": ("not avg(touchpoints.value) > 5", False),
    "distinct": ("count(distinct orders.status) = 1", True),
    "distinct days": ("count(distinct date(orders.at)) = 1", True),
    "distinct by two columns": ("count(distinct orders.status, orders.amount) = 1", True),
    "sum of a product": ("sum(orders.amount * 2) filter (where status = 'paid') = 4000", True),
    "distinct leaves empty ones out": ("count(distinct orders.channel, orders.status) = 0", True),
    "relation first": ("has(orders) filter (where status = 'paid' and leads.country = 'TW')", True),
    "field of the lead inside": ("count(orders) filter (where amount >= budget) = 2", True),
    "no stored score is unknown": ("score.intent >= 0 or not score.intent >= 0", False),
    "no membership is no": ("not member_of('hot')", True),
}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        for name in SCHEMAS:
            columns = ", ".join(f'"{c}" {t}' for c, t in SCHEMAS[name].types.items())
            opened.execute(f"create table {name} ({columns})")
        names = ", ".join(f'"{name}"' for name in LEAD)
        opened.execute(f"insert into leads ({names}) values ({', '.join('?' for _ in LEAD)})", list(LEAD.values()))
        for row in ORDERS:
            opened.execute('insert into orders (lead_id, "at", status, amount) values (?, ?, ?, ?)', row)
        yield opened


@pytest.mark.parametrize(("text", "member"), FORMS.values(), ids=FORMS.keys())
def test_form(connection: duckdb.DuckDBPyConnection, text: str, member: bool) -> None:
    compiled = compile_condition(text, schemas=SCHEMAS, now=NOW)
    found = connection.execute(compiled.sql, compiled.params).fetchall()
    assert found == ([(1,)] if member else [])


@pytest.mark.parametrize(("orders", "member"), [(10, False), (11, True)])
def test_more_than_ten_orders(orders: int, member: bool) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table leads as select 1::bigint as lead_id")
        connection.execute(
            "create table orders as select 1::bigint as lead_id, timestamp '2026-11-01' as \"at\" from range(?)",
            [orders],
        )
        compiled = compile_condition("count(orders) > 10", schemas=SCHEMAS, now=NOW)
        assert bool(connection.execute(compiled.sql, compiled.params).fetchall()) is member


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_column_of_every_dataset_can_be_named(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    if "lead_id" not in SCHEMAS[name].types or name == "leads":
        columns, form = [], "{}"
    else:
        columns, form = list(SCHEMAS[name].types), "has(" + name + ") filter (where {} is not null)"
    if name == "leads":
        columns, form = list(SCHEMAS[name].types), '"{}" is null'
    for column in columns:
        compiled = compile_condition(form.format(column), schemas=SCHEMAS, now=NOW)
        connection.execute(compiled.sql, compiled.params)


@pytest.mark.parametrize("entity", ["accounts", "opportunities", "quotes", "quote_lines", "orders", "contacts"])
def test_other_entities(connection: duckdb.DuckDBPyConnection, entity: str) -> None:
    texts = {
        "accounts": "country = 'TW' and count(opportunities) filter (where category = 'won') > 1",
        "opportunities": "amount > 5000 and has(quotes) filter (where state = 'sent' and within('10 days'))",
        "quotes": "total > 100 and count(quote_lines) filter (where discount_percent > 10) > 0",
        "quote_lines": "discount_percent > 10 and unit_price < list_price * 0.9",
        "orders": "sum(order_lines.amount) <> amount",
        "contacts": "within('1 year', created_at) and has(touchpoints)",
    }
    compiled = compile_condition(texts[entity], entity=entity, schemas=SCHEMAS, now=NOW)
    assert connection.execute(compiled.sql, compiled.params).fetchall() == []


def test_a_long_chain_is_no_deep_nesting(connection: duckdb.DuckDBPyConnection) -> None:
    text = " and ".join(["country = 'TW'"] * 800)
    compiled = compile_condition(text, schemas=SCHEMAS, now=NOW)
    assert connection.execute(compiled.sql, compiled.params).fetchall() == [(1,)]


def test_segments_that_depend_on_each_other_are_computed_together(connection: duckdb.DuckDBPyConnection) -> None:
    chain = [
        Condition(name="c", text="member_of('b') and not member_of('stored')"),
        Condition(name="a", text="country = 'TW'"),
        Condition(name="b", text="not not member_of('a')"),
    ]
    many = compile_many(chain, schemas=SCHEMAS, now=NOW, as_segments=True)
    sql = f"select {', '.join(many.columns[name] for name in 'abc')} from ({many.sql})"
    assert connection.execute(sql, many.params).fetchall() == [(True, True, True)]
    assert many.segments == ("stored",)


def test_nothing_to_compile_is_a_statement_too(connection: duckdb.DuckDBPyConnection) -> None:
    many = compile_many([], schemas=SCHEMAS, now=NOW, members_only=True)
    assert connection.execute(many.sql, many.params).fetchall() == [(1,)]


def test_the_answer_says_what_it_reads() -> None:
    compiled = compile_condition(
        "has(orders) and member_of('hot') and score.intent > 5 and has(touchpoints)", schemas=SCHEMAS, now=NOW
    )
    assert compiled.relations == ("leads", "orders", "scores", "segment_members", "touchpoints")
    assert (compiled.segments, compiled.scores) == (("hot",), ("intent",))


def test_a_window_lets_older_files_stay_closed() -> None:
    text = "has(touchpoints) filter (where kind = 'x' and within('7 days')) or count(touchpoints) filter (where within('9 days')) > 5"
    compiled = compile_condition(text, schemas=SCHEMAS, now=NOW)
    assert NOW - timedelta(days=9) in compiled.params.values()
    assert compiled.sql.count('r."at" >= $') == 3
