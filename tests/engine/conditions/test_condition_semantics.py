"""Random conditions over random small data equal an independent evaluator with three-valued logic."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfactl.engine.conditions import Condition, compile_condition, compile_many
from sfactl.engine.conditions.explain import ask
from sfactl.schemas import Schemas

NOW = datetime(2026, 11, 21, 9)
SCHEMAS = Schemas({"leads": {"vip": "boolean", "ratio": "number"}})
TABLES = ("leads", "touchpoints", "orders", "segment_members", "scores")
Row = dict[str, object]
Truth = bool | None


@dataclass
class World:
    """The rows of a few datasets."""

    leads: list[Row] = field(default_factory=list)
    touchpoints: list[Row] = field(default_factory=list)
    orders: list[Row] = field(default_factory=list)
    segment_members: list[Row] = field(default_factory=list)
    scores: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Test:
    """A condition as text and as a function of a row and its world."""

    __test__ = False
    text: str
    truth: Callable[[Row, World], Truth]


def conj(values: list[Truth]) -> Truth:
    return False if False in values else None if None in values else True


def disj(values: list[Truth]) -> Truth:
    return True if True in values else None if None in values else False


def negation(value: Truth) -> Truth:
    return None if value is None else not value


OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compared(op: str, left: object, right: object) -> Truth:
    return None if left is None or right is None else OPERATORS[op](left, right)


TEXTS = ["TW", "JP", "tw", "", "o'x", "雷射切割", "ＬＸ", "a%b", "x_y", "straße", 'q"q']
TIMES = [
    NOW,
    NOW - timedelta(days=90),
    NOW - timedelta(days=90, microseconds=1),
    NOW - timedelta(days=89),
    NOW - timedelta(days=400),
    NOW + timedelta(microseconds=1),
    NOW + timedelta(days=3),
]
DAYS = [date(2026, 11, 21), date(2026, 8, 23), date(2026, 8, 22), date(2026, 11, 22), date(2000, 2, 29)]
AMOUNTS = [Decimal(x) for x in ("0", "999.9999", "1000", "1000.0001", "-5.5", "33.3333")]
maybe = st.none


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class FieldKind:
    """A kind of field: its names, values, and how a value is written."""

    names: tuple[str, ...]
    values: tuple[object, ...]
    write: Callable[[object], str]
    operators: tuple[str, ...] = tuple(OPERATORS)


def kinds(relation: str | None) -> list[FieldKind]:
    names: dict[str, tuple[str, ...]] = {
        "": ("country", "employees", "budget", "birth_date", "created_at", "vip", "ratio"),
        "touchpoints": ("kind", "account_id", "", "", "at", "", "value"),
        "orders": ("status", "payment_terms_days", "amount", "", "at", "", ""),
    }
    text, whole, money, day, time, yes, number = names[relation or ""]
    rows = [
        FieldKind((text,), tuple(TEXTS), lambda v: quoted(str(v))),
        FieldKind((whole,), (0, 1, 10, 11, -3), str),
        FieldKind((money,), (*AMOUNTS, 1000), str),
        FieldKind((day,), tuple(DAYS), lambda v: quoted(str(v))),
        FieldKind((time,), tuple(TIMES), lambda v: quoted(str(v))),
        FieldKind((yes,), (True, False), lambda v: str(v).lower(), ("=", "<>")),
        FieldKind((number,), (0.0, 0.5, -2.25, 10.0), str),
    ]
    return [row for row in rows if row.names[0]]


@st.composite
def plain(draw: st.DrawFn, relation: str | None) -> Test:
    kind = draw(st.sampled_from(kinds(relation)))
    name, value = kind.names[0], draw(st.sampled_from(kind.values))
    form = draw(st.sampled_from(["compare", "compare", "mirror", "null", "in", "between"]))
    op = draw(st.sampled_from(kind.operators))
    if form == "null":
        return Test(f"{name} is null", lambda row, _w: row[name] is None)
    if form == "in":
        values = draw(st.lists(st.sampled_from(kind.values), min_size=1, max_size=3))
        listed = ", ".join(kind.write(v) for v in values)
        return Test(f"{name} in ({listed})", lambda row, _w: disj([compared("=", row[name], v) for v in values]))
    if form == "between" and len(kind.operators) > 2:
        high = draw(st.sampled_from(kind.values))
        return Test(
            f"{name} between {kind.write(value)} and {kind.write(high)}",
            lambda row, _w: conj([compared(">=", row[name], value), compared("<=", row[name], high)]),
        )
    if form == "mirror":
        return Test(f"{kind.write(value)} {op} {name}", lambda row, _w: compared(op, value, row[name]))
    return Test(f"{name} {op} {kind.write(value)}", lambda row, _w: compared(op, row[name], value))


def within(relation: str) -> Test:
    start = NOW - timedelta(days=90)
    return Test("within('90 days')", lambda row, _w: start <= row["at"] <= NOW)  # type: ignore[operator]


def combined(leaf: st.SearchStrategy[Test]) -> st.SearchStrategy[Test]:
    def several(children: st.SearchStrategy[Test]) -> st.SearchStrategy[Test]:
        lists = st.lists(children, min_size=2, max_size=3)
        return st.one_of(
            lists.map(
                lambda ts: Test(f"({' and '.join(t.text for t in ts)})", lambda r, w: conj([t.truth(r, w) for t in ts]))
            ),
            lists.map(
                lambda ts: Test(f"({' or '.join(t.text for t in ts)})", lambda r, w: disj([t.truth(r, w) for t in ts]))
            ),
            children.map(lambda t: Test(f"not ({t.text})", lambda r, w: negation(t.truth(r, w)))),
        )

    return st.recursive(leaf, several, max_leaves=5)


def visible(world: World, relation: str, lead: Row, inner: Test | None) -> list[Row]:
    rows = [r for r in getattr(world, relation) if r["lead_id"] == lead["lead_id"] and r["at"] <= NOW]
    return [r for r in rows if inner is None or inner.truth(r, world) is True]


@st.composite
def aggregate(draw: st.DrawFn) -> Test:
    relation = draw(st.sampled_from(["touchpoints", "orders"]))
    column, label = ("value", "kind") if relation == "touchpoints" else ("amount", "status")
    inner = draw(st.none() | combined(st.one_of(plain(relation), st.just(within(relation)))))
    tail = f" filter (where {inner.text})" if inner else ""
    form = draw(st.sampled_from(["has", "count", "distinct", "sum", "min", "max", "avg", "column"]))
    op = draw(st.sampled_from(sorted(OPERATORS)))
    bound = draw(st.sampled_from([0, 1, 2, Decimal("1000"), Decimal("0.5")]))

    def rows(lead: Row, world: World) -> list[Row]:
        return visible(world, relation, lead, inner)

    def values(lead: Row, world: World) -> list[object]:
        return [r[column] for r in rows(lead, world) if r[column] is not None]

    if form == "has":
        return Test(f"has({relation}){tail}", lambda r, w: bool(rows(r, w)))
    calls: dict[str, tuple[str, Callable[[Row, World], object]]] = {
        "count": (f"count({relation})", lambda r, w: len(rows(r, w))),
        "column": (f"count({relation}.{column})", lambda r, w: len(values(r, w))),
        "distinct": (
            f"count(distinct {relation}.{label})",
            lambda r, w: len({x[label] for x in rows(r, w) if x[label] is not None}),
        ),
        "sum": (f"sum({relation}.{column})", lambda r, w: sum(values(r, w)) if values(r, w) else None),
        "min": (f"min({relation}.{column})", lambda r, w: min(values(r, w), default=None)),  # type: ignore[type-var]
        "max": (f"max({relation}.{column})", lambda r, w: max(values(r, w), default=None)),  # type: ignore[type-var]
        "avg": (
            f"avg({relation}.{column})",
            lambda r, w: float(sum(values(r, w))) / len(values(r, w)) if values(r, w) else None,
        ),
    }
    call, value = calls[form]
    wanted = float(bound) if form == "avg" else bound
    return Test(f"{call}{tail} {op} {bound}", lambda r, w: compared(op, value(r, w), wanted))


@st.composite
def stored(draw: st.DrawFn) -> Test:
    form = draw(st.sampled_from(["member", "score", "grade"]))
    if form == "member":
        return Test(
            "member_of('hot')",
            lambda r, w: any(m["lead_id"] == r["lead_id"] and m["segment"] == "hot" for m in w.segment_members),
        )

    def of(r: Row, w: World, column: str) -> object:
        return next((s[column] for s in w.scores if s["lead_id"] == r["lead_id"] and s["score"] == "intent"), None)

    if form == "grade":
        return Test("score.intent.grade = 'A'", lambda r, w: compared("=", of(r, w, "grade"), "A"))
    return Test("score.intent >= 50", lambda r, w: compared(">=", of(r, w, "points"), 50.0))


conditions = combined(st.one_of(plain(None), aggregate(), stored()))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    ids = st.integers(1, 4)

    def rows(columns: dict[str, st.SearchStrategy[object]], most: int) -> list[Row]:
        return [dict(row) for row in draw(st.lists(st.fixed_dictionaries(columns), max_size=most))]

    texts, times = st.sampled_from(TEXTS), st.sampled_from(TIMES)
    world = World()
    for lead_id in range(1, draw(st.integers(1, 4)) + 1):
        world.leads.append(
            draw(
                st.fixed_dictionaries(
                    {
                        "lead_id": st.just(lead_id),
                        "country": maybe() | texts,
                        "employees": maybe() | st.sampled_from([0, 1, 10, 11, -3]),
                        "budget": maybe() | st.sampled_from(AMOUNTS),
                        "birth_date": maybe() | st.sampled_from(DAYS),
                        "created_at": maybe() | times,
                        "vip": maybe() | st.booleans(),
                        "ratio": maybe() | st.sampled_from([0.0, 0.5, -2.25, 10.0]),
                    }
                )
            )
        )
    world.touchpoints = rows(
        {
            "lead_id": ids,
            "at": times,
            "kind": maybe() | texts,
            "account_id": maybe() | st.sampled_from([0, 1, 10]),
            "value": maybe() | st.sampled_from([0.0, 0.5, -2.25, 10.0]),
        },
        8,
    )
    world.orders = rows(
        {
            "lead_id": ids,
            "at": times,
            "status": maybe() | texts,
            "payment_terms_days": maybe() | st.sampled_from([0, 10]),
            "amount": maybe() | st.sampled_from(AMOUNTS),
        },
        6,
    )
    world.segment_members = [{"segment": draw(st.sampled_from(["hot", "x"])), "lead_id": 1}]
    world.scores = [
        {"lead_id": 2, "score": "intent", "points": draw(st.sampled_from([49.99, 50.0])), "grade": "A", "as_of": NOW},
        {"lead_id": 2, "score": "fit", "points": 99.0, "grade": None, "as_of": NOW},
    ]
    return world


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        for name in TABLES:
            columns = ", ".join(f'"{c}" {t}' for c, t in SCHEMAS[name].types.items())
            opened.execute(f"create table {name} ({columns})")
        yield opened


def fill(connection: duckdb.DuckDBPyConnection, world: World, order: random.Random | None = None) -> None:
    for name in TABLES:
        connection.execute(f"truncate {name}")
        rows = list(getattr(world, name))
        if order is not None:
            order.shuffle(rows)
        if rows:
            names = ", ".join(f'"{c}"' for c in rows[0])
            cells = ", ".join(f"cast(? as {SCHEMAS[name].types[c]})" for c in rows[0])
            marks = ", ".join(f"({cells})" for _ in rows)
            values = [row[c] for row in rows for c in rows[0]]
            connection.execute(f"insert into {name} ({names}) values {marks}", values)


def members(connection: duckdb.DuckDBPyConnection, text: str) -> set[int]:
    compiled = compile_condition(text, schemas=SCHEMAS, now=NOW)
    found = [row[0] for row in connection.execute(compiled.sql, compiled.params).fetchall()]
    assert len(found) == len(set(found))
    return set(found)


relaxed = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
few = settings(relaxed, max_examples=25)


@relaxed
@given(condition=conditions, world=worlds())
def test_members_are_those_for_whom_the_condition_is_true(
    connection: duckdb.DuckDBPyConnection, condition: Test, world: World
) -> None:
    fill(connection, world)
    expected = {row["lead_id"] for row in world.leads if condition.truth(row, world) is True}
    assert members(connection, condition.text) == expected


@few
@given(one=conditions, other=conditions, world=worlds())
def test_de_morgan(connection: duckdb.DuckDBPyConnection, one: Test, other: Test, world: World) -> None:
    fill(connection, world)
    a, b = f"({one.text})", f"({other.text})"
    assert members(connection, f"not ({a} and {b})") == members(connection, f"not {a} or not {b}")
    assert members(connection, f"not ({a} or {b})") == members(connection, f"not {a} and not {b}")


@few
@given(condition=conditions, world=worlds(), seed=st.integers())
def test_the_order_of_rows_does_not_matter(
    connection: duckdb.DuckDBPyConnection, condition: Test, world: World, seed: int
) -> None:
    fill(connection, world)
    before = members(connection, condition.text)
    fill(connection, world, random.Random(seed))
    assert members(connection, condition.text) == before


@few
@given(several=st.lists(conditions, min_size=1, max_size=5), world=worlds())
def test_many_conditions_in_one_statement_equal_each_alone(
    connection: duckdb.DuckDBPyConnection, several: list[Test], world: World
) -> None:
    fill(connection, world)
    named = [Condition(name=f"c{n}", text=test.text) for n, test in enumerate(several)]
    many = compile_many(named, schemas=SCHEMAS, now=NOW)
    assert many.sql.count("from touchpoints ") <= 1
    assert many.sql.count("from orders ") <= 1
    for name, column in many.columns.items():
        sql = f'select lead_id from ({many.sql}) where "{column}"'
        found = {row[0] for row in connection.execute(sql, many.params).fetchall()}
        assert found == members(connection, several[int(name[1:])].text)
    only = compile_many(named, schemas=SCHEMAS, now=NOW, members_only=True)
    anyone = set().union(*(members(connection, test.text) for test in several))
    assert {row[0] for row in connection.execute(only.sql, only.params).fetchall()} == anyone


@st.composite
def switched(draw: st.DrawFn) -> list[Test]:
    """Many aggregates of the sort that are grouped by an equality first, and some that are not."""
    found = []
    for _ in range(draw(st.integers(4, 8))):
        kind = draw(st.sampled_from(["TW", "JP", "o'x", None]))
        rest = draw(st.none() | plain("touchpoints") | st.just(within("touchpoints")))
        parts = [t for t in (Test(f"kind = {quoted(kind)}", _is(kind)) if kind else None, rest) if t]
        draw(st.randoms(use_true_random=False)).shuffle(parts)
        inner = Test(" and ".join(t.text for t in parts), _all(parts)) if parts else None
        tail = f" filter (where {inner.text})" if inner else ""
        form = draw(st.sampled_from(["count", "sum", "min", "max", "avg", "distinct", "column"]))
        found.append(asked(form, inner, tail))
    return found


def _is(kind: str) -> Callable[[Row, World], Truth]:
    return lambda row, _w: compared("=", row["kind"], kind)


def _all(parts: list[Test]) -> Callable[[Row, World], Truth]:
    return lambda row, world: conj([t.truth(row, world) for t in parts])


def asked(form: str, inner: Test | None, tail: str) -> Test:
    def values(lead: Row, world: World, column: str = "value") -> list[object]:
        return [r[column] for r in visible(world, "touchpoints", lead, inner) if r[column] is not None]

    def mean(lead: Row, world: World) -> object:
        found = values(lead, world)
        return float(sum(found)) / len(found) if found else None  # type: ignore[arg-type]

    calls: dict[str, tuple[str, Callable[[Row, World], object]]] = {
        "count": ("count(touchpoints)", lambda r, w: len(visible(w, "touchpoints", r, inner))),
        "column": ("count(touchpoints.account_id)", lambda r, w: len(values(r, w, "account_id"))),
        "distinct": ("count(distinct touchpoints.kind)", lambda r, w: len(set(values(r, w, "kind")))),
        "sum": ("sum(touchpoints.value)", lambda r, w: sum(values(r, w)) if values(r, w) else None),  # type: ignore[arg-type]
        "min": ("min(touchpoints.value)", lambda r, w: min(values(r, w), default=None)),  # type: ignore[type-var]
        "max": ("max(touchpoints.value)", lambda r, w: max(values(r, w), default=None)),  # type: ignore[type-var]
        "avg": ("avg(touchpoints.value)", mean),
    }
    call, value = calls[form]
    return Test(f"{call}{tail} >= 1", lambda r, w: compared(">=", value(r, w), 1))


@few
@given(several=switched(), world=worlds())
def test_many_aggregates_over_one_relation(
    connection: duckdb.DuckDBPyConnection, several: list[Test], world: World
) -> None:
    fill(connection, world)
    named = [Condition(name=f"c{n}", text=test.text) for n, test in enumerate(several)]
    many = compile_many(named, schemas=SCHEMAS, now=NOW)
    for test, column in zip(several, many.columns.values(), strict=True):
        sql = f'select lead_id from ({many.sql}) where "{column}"'
        found = {row[0] for row in connection.execute(sql, many.params).fetchall()}
        assert found == {row["lead_id"] for row in world.leads if test.truth(row, world) is True}, many.sql


@few
@given(condition=conditions, world=worlds())
def test_the_terms_of_an_explanation_decide_as_the_whole_does(
    connection: duckdb.DuckDBPyConnection, condition: Test, world: World
) -> None:
    fill(connection, world)
    question = ask(condition.text, schemas=SCHEMAS, now=NOW)
    inside = members(connection, condition.text)
    for row in world.leads:
        answers = (
            connection.sql(question.sql, params={**question.params, "key": row["lead_id"]})
            .to_arrow_table()
            .to_pylist()[0]
        )
        assert (answers[question.holds] is True) == (row["lead_id"] in inside)
        assert conj([answers[term.column] for term in question.terms]) == answers[question.holds]


@few
@given(text=st.text(alphabet=st.characters(blacklist_characters="\x00", blacklist_categories=("Cs",)), max_size=30))
def test_a_literal_is_never_more_than_a_text(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    fill(connection, World(leads=[{"lead_id": 1, "country": text}, {"lead_id": 2, "country": "other " + text}]))
    assert members(connection, f"country = {quoted(text)}") == {1}
    compiled = compile_condition(f"country = {quoted(text)}", schemas=SCHEMAS, now=NOW)
    assert text in compiled.params.values()
    assert compiled.sql == compile_condition("country = 'y'", schemas=SCHEMAS, now=NOW).sql


@pytest.mark.parametrize(
    "text",
    ["'; drop table leads; --", "' or '1'='1", "\\'; select 1 --", "$p1", "'||(select 1)||'", "/*", "x'y\"z", "\u0000"],
)
def test_injections_stay_texts(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    fill(connection, World(leads=[{"lead_id": 1, "country": "TW"}]))
    assert members(connection, f"country = {quoted(text)}") == set()
    assert connection.execute("select count(*) from leads").fetchone() == (1,)
