"""What is called impossible never happens; what people get wrong is found, with the terms that clash."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.engine.conditions import compile_condition
from sfactl.engine.reasoning import Claim, Prover
from sfactl.schemas.dataset import Schemas, core_schemas

NOW = datetime(2026, 6, 15, 12)
SCHEMAS = core_schemas()


def prover(**segments: str) -> Prover:
    known = {name.replace("_", "-"): Claim(text=text, where=f"{name}.toml") for name, text in segments.items()}
    return Prover(SCHEMAS, now=NOW, segments=known)


def clash(text: str, **segments: str) -> tuple[str, ...] | None:
    found = prover(**segments).clash(Claim(text=text, where="x"))
    return None if found is None else tuple(reason.text for reason in found)


IMPOSSIBLE = {
    "range": "employees > 200 and employees < 50",
    "whole numbers": "employees > 5 and employees < 6",
    "touching": "budget >= 10 and budget < 10",
    "lists": "country in ('TW', 'JP') and country = 'DE'",
    "list and not": "country in ('TW', 'JP') and country <> 'TW' and country not in ('JP', 'US')",
    "null": "email is null and email = 'a@b.example'",
    "null and text": "email is null and contains(email, 'x')",
    "not itself": "contains(company, 'laser') and not contains(company, 'laser')",
    "like": "email like '%@a' and email not like '%@a'",
    "days": "days_since(created_at) > 30 and within('7 days', created_at)",
    "days of a date": "days_since(birth_date) < 0 and birth_date < '2026-06-15'",
    "time": "created_at < '2026-01-01' and created_at > '2026-02-01 09:30'",
    "coalesce": "coalesce(budget, 0) > 10 and budget is null",
    "count": "count(orders) < 0",
    "count and has": "has(orders) and count(orders) = 0",
    "narrower": "has(touchpoints) filter (where within('7 days')) and not has(touchpoints) filter (where within('30 days'))",
    "narrower list": "count(touchpoints) filter (where kind = 'call') >= 3 and count(touchpoints) filter (where kind in ('call', 'meeting')) < 2",
    "sum of none": "not has(orders) and sum(orders.amount) > 100",
    "score": "score.intent >= 50 and coalesce(score.intent, 0) < 10",
    "member": "member_of('a') and not member_of('a')",
    "tag": "tag('vip') and not tag('VIP')",
    "or": "(status = 'new' or status = 'mql') and status = 'sql'",
    "yes/no": "budget_ok and budget_ok is false",
    "unknown": "not (country = 'TW') and country is null",
    "two fields": "employees > budget and budget >= employees",
    "distinct": "country is distinct from 'TW' and country = 'TW'",
    "between": "employees between 10 and 5",
}  # fmt: skip

POSSIBLE = {
    "range": "employees > 5 and employees < 7",
    "decimals": "budget > 5 and budget < 6",
    "not in": "country not in ('TW') and country <> 'JP'",
    "wider": "has(touchpoints) filter (where within('30 days')) and not has(touchpoints) filter (where within('7 days'))",
    "other filter": "has(touchpoints) filter (where kind = 'call') and not has(touchpoints) filter (where kind = 'visit')",
    "coalesce": "coalesce(budget, 0) < 10 and budget is null",
    "fraction": "coalesce(employees, 0.5) > 0.2 and employees is null",
    "unknown": "country is distinct from 'TW' and country is null",
    "or": "(status = 'new' or status = 'sql') and status = 'sql'",
    "sum": "sum(orders.amount) is null and not has(orders)",
    "text order": "country > 'A' and country < 'B'",
    "rounding": "score.intent >= 0.10000000000000001 and score.intent <= 0.1",
    "today": "created_at >= today() and created_at <= now()",
}  # fmt: skip


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_contradictions_are_found(name: str) -> None:
    assert clash(IMPOSSIBLE[name]) is not None


@pytest.mark.parametrize("name", POSSIBLE)
def test_what_may_be_is_left_alone(name: str) -> None:
    assert clash(POSSIBLE[name]) is None


def test_days_of_another_zone() -> None:
    taipei = Prover(Schemas(zone="Asia/Taipei"), now=NOW)
    far, close = (
        Claim(text=f"days_since(created_at) > {days} and within('7 days', created_at)", where="x") for days in (30, 6)
    )
    assert (taipei.never(far) is None, taipei.never(close) is None) == (False, True)


def test_only_the_terms_that_clash_are_named() -> None:
    found = clash("status = 'new' and employees > 200 and email is not null and employees < 50 and country = 'TW'")
    assert found == ("employees > 200", "employees < 50")


def test_a_segment_means_its_condition() -> None:
    text = "member_of('big') and employees < 10"
    assert clash(text, big="employees >= 500 and member_of('known')", known="email is not null") is not None
    assert clash("not member_of('known') and email is null", known="email is not null") is None
    assert clash("not member_of('known') and email = 'a'", known="email is not null") is not None
    assert clash("member_of('a')", a="member_of('b')", b="member_of('a')") is None


def test_implied_always_idle_and_dead() -> None:
    p = prover()
    one, other = Claim(text="country = 'TW' and employees > 50", where="a"), Claim(text="employees >= 51", where="b")
    assert (p.implies(one, other), p.implies(other, one)) == (True, False)
    assert p.always(Claim(text="country = 'TW' or country is distinct from 'TW'", where="a"))
    assert not p.always(Claim(text="country = 'TW' or country <> 'TW'", where="a"))
    assert p.always(Claim(text="count(orders) >= 0", where="a"))
    idle = p.idle_terms(Claim(text="employees > 50 and employees > 10 and country = 'TW'", where="a"))
    assert [reason.text for reason in idle] == ["employees > 10"]
    ((dead, why),) = p.dead_alternatives(
        Claim(text="(status = 'new' or status = 'mql') and status <> 'mql'", where="a")
    )
    assert (dead.text, [reason.text for reason in why]) == ("status = 'mql'", ["status = 'mql'", "status <> 'mql'"])


def test_a_search_that_would_not_end_proves_nothing() -> None:
    words = " and ".join(f"(contains(note, 'a{i}') or contains(note, 'b{i}') or employees = {i})" for i in range(40))
    assert clash(f"{words} and employees > 100 and budget < 0 and budget > 1") is not None
    clash(words + " and " + " and ".join(f"not contains(note, 'a{i}')" for i in range(40)))


FIELDS: dict[str, list[str]] = {
    "employees": ["employees {op} {n}", "employees between {n} and {m}", "employees in ({n}, {m})", "employees is null"],
    "budget": ["budget {op} {n}.5", "coalesce(budget, {n}) {op} {m}", "budget * 2 {op} {n}", "employees {op} budget"],
    "score": ["score.fit {op} {n}", "coalesce(score.fit, {n}) {op} {m}", "score.fit is not null"],
    "country": ["country {op} '{c}'", "country in ('{c}', '{d}')", "country is null", "country like '{c}%'",
                "country is distinct from '{c}'", "contains(country, '{c}')"],
    "time": ["created_at {op} '2026-06-1{n}'", "within('{n} days', created_at)", "days_since(created_at) {op} {n}",
             "within('{n} days', birth_date)", "days_since(birth_date) {op} {m}", "birth_date {op} '2026-06-1{m}'"],
    "orders": ["count(orders) {op} {n}", "has(orders)", "has(orders) filter (where amount {op} {n})",
               "count(orders) filter (where amount > {n} and status = '{c}') {op} {m}", "sum(orders.amount) {op} {n}",
               "has(orders) filter (where within('{n} days'))", "max(orders.at) {op} '2026-06-1{n}'",
               "avg(orders.amount) filter (where status in ('{c}', '{d}')) {op} {m}"],
    "flag": ["budget_ok", "budget_ok = false", "budget_ok is true", "budget_ok is null"],
}  # fmt: skip

atoms = st.builds(
    lambda form, op, n, m, c, d: form.format(op=op, n=n, m=m, c=c, d=d),
    st.sampled_from([form for forms in FIELDS.values() for form in forms]),
    st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
    st.integers(0, 4), st.integers(0, 4), st.sampled_from("ABa"), st.sampled_from("ABC"),
)  # fmt: skip
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("not ({})".format, inner),
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def world() -> duckdb.DuckDBPyConnection:
    """Six thousand leads with few different values each, so that much happens."""
    draw = Random(7)
    n = 6_000
    some: dict[str, list[Any]] = {name: [None] * n for name in SCHEMAS["leads"].types}
    some["lead_id"] = list(range(n))
    some["employees"] = [draw.choice([None, 0, 1, 2, 3, 4]) for _ in range(n)]
    some["budget"] = [draw.choice([None, *(Decimal(i) / 2 for i in range(10))]) for _ in range(n)]
    some["country"] = [draw.choice([None, "A", "B", "C", "a", "AB"]) for _ in range(n)]
    some["created_at"] = [draw.choice([None, NOW - timedelta(hours=draw.randrange(-20, 140))]) for _ in range(n)]
    some["birth_date"] = [draw.choice([None, date(2026, 6, 15) - timedelta(draw.randrange(-3, 6))]) for _ in range(n)]
    some["budget_ok"] = [draw.choice([None, True, False]) for _ in range(n)]
    orders: dict[str, list[Any]] = {name: [] for name in SCHEMAS["orders"].types}
    for lead in range(n):
        for _ in range(draw.choice([0, 0, 1, 2, 3])):
            row = {
                "order_id": len(orders["order_id"]), "lead_id": lead, "status": draw.choice("ABC"),
                "amount": Decimal(draw.choice([0, 1, 2, 3, 4, 9])), "at": NOW - timedelta(hours=draw.randrange(130)),
            }  # fmt: skip
            for name, values in orders.items():
                values.append(row.get(name))
    scores = [(i, "fit", float(draw.choice([0, 1, 2, 3, 4]))) for i in range(n) if draw.random() < 0.7]
    connection = duckdb.connect()
    tables = {"leads": some, "orders": orders}
    for name, columns in tables.items():
        schema = SCHEMAS[name].arrow()
        connection.register(name, pa.table({c: pa.array(v, schema.field(c).type) for c, v in columns.items()}))
    kinds = SCHEMAS["scores"].types
    known = {"lead_id": [s[0] for s in scores], "score": [s[1] for s in scores], "points": [s[2] for s in scores]}
    schema = SCHEMAS["scores"].arrow()
    connection.register(
        "scores",
        pa.table({c: pa.array(known.get(c, [None] * len(scores)), schema.field(c).type) for c in kinds}),
    )
    return connection


def members(world: duckdb.DuckDBPyConnection, text: str) -> set[int]:
    compiled = compile_condition(text, schemas=SCHEMAS, now=NOW)
    return {row[0] for row in world.execute(compiled.sql, dict(compiled.params)).fetchall()}


@settings(max_examples=60)
@given(one=conditions, other=conditions)
def test_what_is_proven_never_fails_on_data(world: duckdb.DuckDBPyConnection, one: str, other: str) -> None:
    p = prover()
    a, b = Claim(text=one, where="a"), Claim(text=other, where="b")
    both = p.clash(a, b)
    never, implied, always = p.never(a), p.implies(a, b), p.always(a)
    if both is None and never is None and not implied and not always:
        return
    of_one, of_other = members(world, one), members(world, other)
    assert not (never and of_one), one
    assert not (both and of_one & of_other), (one, other)
    assert not (implied and of_one - of_other), (one, other)
    assert not (always and len(of_one) != 6_000), one
