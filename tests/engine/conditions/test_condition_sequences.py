"""Sequences equal an independent evaluator that looks at every pair of rows, ties and boundaries included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfactl.api.errors import ConditionError
from sfactl.engine.conditions import Condition, compile_condition, compile_many
from sfactl.engine.conditions.evidence import evidence
from sfactl.schemas import Schemas

NOW = datetime(2026, 11, 21, 9)
TABLES = ("leads", "touchpoints", "orders")
Truth = bool | None


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        schemas = Schemas()
        for name in TABLES:
            columns = ", ".join(f'"{c}" {t}' for c, t in schemas[name].types.items())
            opened.execute(f"create table {name} ({columns})")
        opened.execute("insert into leads (lead_id, budget) values (1, 100), (2, 100)")
        yield opened


@dataclass(frozen=True)
class Row:
    """A row of touchpoints (with a kind) or of orders (with an amount)."""

    lead: int
    at: datetime
    kind: str | None = None
    amount: int = 0


def fill(connection: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    connection.execute("truncate touchpoints")
    connection.execute("truncate orders")
    for number, row in enumerate(rows):
        if row.kind is not None:
            connection.execute(
                'insert into touchpoints (event_id, "at", kind, lead_id) values (?, ?, ?, ?)',
                [f"e{number:03}", row.at, row.kind, row.lead],
            )
        else:
            connection.execute(
                'insert into orders (order_id, "at", amount, lead_id) values (?, ?, ?, ?)',
                [number, row.at, Decimal(row.amount), row.lead],
            )


def members(connection: duckdb.DuckDBPyConnection, text: str, *, zone: str = "UTC", now: datetime = NOW) -> set[int]:
    compiled = compile_condition(text, schemas=Schemas(zone=zone), now=now)
    return {row[0] for row in connection.execute(compiled.sql, compiled.params).fetchall()}


def ago(days: float, **more: float) -> datetime:
    return NOW - timedelta(days=days, **more)


def form(days: float, **more: float) -> Row:
    return Row(lead=1, at=ago(days, **more), kind="form")


def order(days: float, amount: int = 50, **more: float) -> Row:
    return Row(lead=1, at=ago(days, **more), amount=amount)


A_THEN_B = "has(touchpoints) filter (where kind = 'form' and followed_by(orders, '3 days'))"
A_NOT_B = "has(touchpoints) filter (where kind = 'form' and not followed_by(orders, '3 days'))"
CASES: dict[str, tuple[str, list[Row], bool]] = {
    "A then B": (A_THEN_B, [form(10), order(8)], True),
    "exactly three days": (A_THEN_B, [form(10), order(7)], True),
    "a moment more": (A_THEN_B, [form(10), order(7, microseconds=-1)], False),
    "B before A": (A_THEN_B, [form(8), order(10)], False),
    "at the same time": (A_THEN_B, [form(8), order(8)], False),
    "of somebody else": (A_THEN_B, [form(8), Row(lead=2, at=ago(7))], False),
    "A without B": (A_NOT_B, [form(10)], True),
    "A with B": (A_NOT_B, [form(10), order(8)], False),
    "A with B too late": (A_NOT_B, [form(10), order(6)], True),
    "A and time is left": (A_NOT_B, [form(2)], False),
    "A and just no time is left": (A_NOT_B, [form(3)], False),
    "A and the time is over": (A_NOT_B, [form(3, microseconds=1)], True),
    "no A": (A_NOT_B, [order(10)], False),
    "B in the future": (A_THEN_B, [form(1), order(-1)], False),
    "any time later": ("has(touchpoints) filter (where followed_by(orders))", [form(100), order(1)], True),
    "never": ("has(touchpoints) filter (where not followed_by(orders))", [form(1)], True),
    "B with its own condition": (
        "has(touchpoints) filter (where followed_by(orders, '3 days') filter (where amount > 100))",
        [form(10), order(9, 50), order(8, 101)],
        True,
    ),
    "B does not meet it": (
        "has(touchpoints) filter (where followed_by(orders, '3 days') filter (where amount > 100))",
        [form(10), order(9, 100)],
        False,
    ),
    "a field of the lead": (
        "has(touchpoints) filter (where followed_by(orders, '3 days') filter (where amount > leads.budget))",
        [form(10), order(9, 101)],
        True,
    ),
    "A, B, then C": (
        "has(touchpoints) filter (where kind = 'visit' and followed_by(touchpoints, '3 days') filter (where"
        " kind = 'form' and followed_by(orders, '1 week')))",
        [Row(lead=1, at=ago(20), kind="visit"), form(18), order(11)],
        True,
    ),
    "A, B, then C too late": (
        "has(touchpoints) filter (where kind = 'visit' and followed_by(touchpoints, '3 days') filter (where"
        " kind = 'form' and followed_by(orders, '1 week')))",
        [Row(lead=1, at=ago(20), kind="visit"), form(18), order(10)],
        False,
    ),
    "preceded": ("has(orders) filter (where preceded_by(touchpoints, '3 days'))", [form(10), order(7)], True),
    "not preceded": ("has(orders) filter (where not preceded_by(touchpoints, '3 days'))", [order(1)], True),
    "again within 30 days of the first": (
        "has(orders) filter (where nth(1) and followed_by(orders, '30 days'))",
        [order(90), order(65)],
        True,
    ),
    "again, but not after the first": (
        "has(orders) filter (where nth(1) and followed_by(orders, '30 days'))",
        [order(90), order(50), order(45)],
        False,
    ),
    "the third": ("has(orders) filter (where nth(3) and amount > 10)", [order(9), order(8, 5), order(7)], False),
    "the third of those above 10": (
        "has(orders) filter (where nth(3) and amount > 10)",
        [order(9), order(8, 5), order(7), order(6)],
        True,
    ),
    "the last one": (
        "sum(orders.amount) filter (where nth(-1)) = 7",
        [order(9, 100), order(8, 7)],
        True,
    ),
    "the last two": (
        "sum(orders.amount) filter (where nth(-1) or nth(-2)) = 12",
        [order(9), order(8, 7), order(7, 5)],
        True,
    ),
    "same day": (
        "has(touchpoints) filter (where followed_by(orders, 'same day'))",
        [form(10), order(10, hours=-14)],
        True,
    ),
    "same day, over midnight": (
        "has(touchpoints) filter (where followed_by(orders, 'same day'))",
        [form(10), order(10, hours=-15)],
        False,
    ),
    "same day, same time": (
        "has(touchpoints) filter (where followed_by(orders, 'same day'))",
        [form(10), order(10)],
        True,
    ),
    "same day, not itself": ("has(orders) filter (where followed_by(orders, 'same day'))", [order(10)], False),
    "twice a day": ("has(orders) filter (where followed_by(orders, 'same day'))", [order(10), order(10)], True),
    "not on that day": ("has(touchpoints) filter (where not followed_by(orders, 'same day'))", [form(1)], True),
    "the day is not over": ("has(touchpoints) filter (where not followed_by(orders, 'same day'))", [form(0)], False),
    "how often": (
        "count(touchpoints) filter (where followed_by(orders, '3 days')) = 2",
        [form(9), form(8), order(7)],
        True,
    ),
    "either": (
        "has(touchpoints) filter (where followed_by(orders, '1 day') or kind = 'form' and preceded_by(orders, '1 day'))",
        [order(9), form(8.5)],
        True,
    ),
    "within a month": ("has(orders) filter (where followed_by(orders, '1 month'))", [order(61), order(31)], True),
}


@pytest.mark.parametrize(("text", "rows", "member"), CASES.values(), ids=CASES.keys())
def test_sequence(connection: duckdb.DuckDBPyConnection, text: str, rows: list[Row], member: bool) -> None:
    fill(connection, rows)
    assert (1 in members(connection, text)) is member


PERIODS = {"1 day": timedelta(days=1), "2 hours": timedelta(hours=2), "": None, "same day": None}
Test = tuple[str, Callable[[Row, list[Row]], Truth]]


def table(row: Row) -> str:
    return "orders" if row.kind is None else "touchpoints"


def day(at: datetime, zone: str) -> object:
    return at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()


@st.composite
def steps(draw: st.DrawFn, relation: str, zone: str, depth: int = 2) -> Test:
    """The condition of a FILTER over ``relation``, and its truth for a row among the visible rows of its lead."""
    parts: list[Test] = []
    if draw(st.booleans()):
        parts.append(draw(plain(relation)))
    if depth:
        parts.append(draw(neighbour(relation, zone, depth)))
    if depth and draw(st.integers(0, 3)) == 0:
        parts.append(draw(neighbour(relation, zone, depth)))
        glue = draw(st.sampled_from([" and ", " or "]))
        parts = [*parts[:-2], either(glue, parts[-2], parts[-1])]
    if not parts:
        parts.append(draw(plain(relation)))
    return " and ".join(text for text, _ in parts), lambda r, w: all(t(r, w) is True for _, t in parts)


def either(glue: str, one: Test, other: Test) -> Test:
    def truth(row: Row, rows: list[Row]) -> Truth:
        found = [one[1](row, rows), other[1](row, rows)]
        sure = glue == " or "
        return sure if sure in found else None if None in found else not sure

    return f"({one[0]}{glue}{other[0]})", truth


@st.composite
def plain(draw: st.DrawFn, relation: str) -> Test:
    if relation == "orders":
        bound = draw(st.sampled_from([1, 2]))
        return f"amount >= {bound}", lambda r, _w: r.amount >= bound
    kind = draw(st.sampled_from(["form", "visit"]))
    return f"kind = '{kind}'", lambda r, _w: r.kind == kind


@st.composite
def neighbour(draw: st.DrawFn, relation: str, zone: str, depth: int) -> Test:
    other = draw(st.sampled_from(["orders", "touchpoints"]))
    inner = draw(st.none() | steps(other, zone, depth - 1))
    period = draw(st.sampled_from(sorted(PERIODS)))
    after, negated = draw(st.booleans()), draw(st.booleans())
    text = f"{'followed_by' if after else 'preceded_by'}({other}{f', {period!r}' if period else ''})"
    text += f" filter (where {inner[0]})" if inner else ""

    def truth(row: Row, rows: list[Row]) -> Truth:
        found = near(row, rows)
        return found if found is None or not negated else not found

    def near(row: Row, rows: list[Row]) -> Truth:
        span = PERIODS[period]
        for one in rows:
            if table(one) != other or one is row or (inner and inner[1](one, rows) is not True):
                continue
            gap = one.at - row.at if after else row.at - one.at
            if period == "same day":
                if gap >= timedelta() and day(one.at, zone) == day(row.at, zone):
                    return True
            elif gap > timedelta() and (span is None or gap <= span):
                return True
        if not after or period == "":
            return False
        over = day(row.at, zone) < day(NOW, zone) if period == "same day" else row.at + (span or timedelta()) < NOW  # type: ignore[operator]
        return False if over else None

    return f"{'not ' if negated else ''}{text}", truth


TIMES = st.sampled_from([0, 1, 2, 3, 8, 9, 10, 23, 24, 25, 26, 33, -1])
ROWS = st.lists(
    st.builds(
        lambda lead, hours, kind, amount: Row(lead=lead, at=NOW - timedelta(hours=hours), kind=kind, amount=amount),
        st.sampled_from([1, 1, 1, 2]),
        TIMES,
        st.sampled_from([None, None, "form", "visit"]),
        st.integers(0, 2),
    ),
    max_size=8,
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    data=st.data(),
    rows=ROWS,
    relation=st.sampled_from(["orders", "touchpoints"]),
    zone=st.sampled_from(["UTC", "Asia/Taipei"]),
)
def test_random_sequences(
    connection: duckdb.DuckDBPyConnection, data: st.DataObject, rows: list[Row], relation: str, zone: str
) -> None:
    text, truth = data.draw(steps(relation, zone))
    fill(connection, rows)
    condition = f"count({relation}) filter (where {text}) >= 1"
    expected = set()
    for lead in (1, 2):
        visible = [row for row in rows if row.lead == lead and row.at <= NOW]
        if any(table(row) == relation and truth(row, visible) is True for row in visible):
            expected.add(lead)
    assert members(connection, condition, zone=zone) == expected


def test_many_sequences_read_each_relation_once_more(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, [form(10), order(8)])
    texts = [A_THEN_B, A_NOT_B, "has(touchpoints)", "has(touchpoints) filter (where nth(1) and kind = 'form')"]
    named = [Condition(name=f"c{n}", text=text) for n, text in enumerate(texts)]
    many = compile_many(named, schemas=Schemas(), now=NOW)
    assert many.sql.count("from touchpoints as r") == 2
    assert many.sql.count("from orders as r") == 1
    assert "join orders" not in many.sql
    assert set(many.relations) == {"leads", "touchpoints", "orders"}
    row = connection.execute(f"{many.sql} order by 1", many.params).fetchall()[0]
    assert row == (1, True, False, True, True)


def test_the_rows_behind_a_sequence(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, [form(10), form(20), order(8)])
    (found,) = evidence(A_THEN_B, schemas=Schemas(), now=NOW)
    rows = connection.execute(found.sql, {**found.params, "key": 1}).fetchall()
    assert [row[0] for row in rows] == ["e000"]


MISTAKES = {
    "outside": ("followed_by(orders, '3 days')", "position 1: followed_by() goes inside a FILTER"),
    "outside with filter": ("nth(1) filter (where true)", "position 1: nth() goes inside a FILTER"),
    "relation": (
        "has(orders) filter (where followed_by(touchpoint))",
        'position 39: unknown relation "touchpoint". Did you mean "touchpoints"?',
    ),
    "period": ("has(orders) filter (where followed_by(orders, '3 dayz'))", "unknown unit"),
    "field": (
        "has(orders) filter (where followed_by(touchpoints) filter (where knd = 'x'))",
        'unknown field "knd" of touchpoints or lead. Did you mean "kind"?',
    ),
    "compared": ("has(orders) filter (where followed_by(orders) = true)", "go with and, or and not only"),
    "zero": ("has(orders) filter (where nth(0))", "1 is the first"),
    "column": ("has(orders) filter (where followed_by(orders.amount))", "needs a relation"),
    "no time": ("has(segment_members) filter (where followed_by(reps))", "unknown relation"),
}


@pytest.mark.parametrize(("text", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_told(text: str, said: str) -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition(text, schemas=Schemas(), now=NOW)
    assert said in caught.value.message
