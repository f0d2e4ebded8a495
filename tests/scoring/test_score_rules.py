"""Rule scores: closed-form values, limits, caps and bounds; the set-based run and the reasons agree to the last unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfactl.engine.conditions.compile import settings_of
from sfactl.engine.conditions.plan import Plan
from sfactl.schemas import core_schemas
from sfactl.scoring.matrix import cell, grade_of, grid
from sfactl.scoring.model import Decay, Grade, Group, Rule, Score
from sfactl.scoring.reasons import Entry, Reason, add_up, reasons_statement
from sfactl.scoring.rules import totals_statement
from sfactl.scoring.strategy import rules_statement

NOW = datetime(2026, 11, 21, 9)
HOUR = timedelta(hours=1)
TABLES = ("leads", "touchpoints", "segment_members", "scores")


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        schemas = core_schemas()
        for name in TABLES:
            columns = ", ".join(f'"{c}" {t}' for c, t in schemas[name].types.items())
            opened.execute(f"create table {name} ({columns})")
        yield opened


def fill(
    connection: duckdb.DuckDBPyConnection,
    events: list[tuple[int, str, datetime]],
    employees: tuple[int | None, ...] = (50, None),
) -> None:
    connection.execute("truncate leads")
    connection.execute("truncate touchpoints")
    for number, size in enumerate(employees, 1):
        connection.execute("insert into leads (lead_id, employees) values (?, ?)", [number, size])
    for number, (lead, kind, at) in enumerate(events):
        connection.execute(
            'insert into touchpoints (event_id, lead_id, kind, "at", content) values (?, ?, ?, ?, ?)',
            [f"e{number}", lead, kind, at, f"page {number}"],
        )


def totals(connection: duckdb.DuckDBPyConnection, *scores: Score, now: datetime = NOW) -> dict[int, list[Decimal]]:
    plan = Plan(settings_of("leads", core_schemas(), now))
    sql = totals_statement(plan, scores)
    rows = connection.execute(sql, plan.params).fetchall()
    assert all(units == int(units) for row in rows for units in row[1:])
    return {row[0]: [Decimal(int(u)).scaleb(-s.decimals) for u, s in zip(row[1:], scores, strict=True)] for row in rows}


def reasons(connection: duckdb.DuckDBPyConnection, score: Score, lead: int, now: datetime = NOW) -> tuple[Reason, ...]:
    plan = Plan(settings_of("leads", core_schemas(), now))
    sql = reasons_statement(plan, score, one=True)
    rows = connection.execute(
        f'select rule_no, units, "at", detail from ({sql})', {**plan.params, "key": lead}
    ).fetchall()
    return add_up(score, [Entry(rule=r[0], units=int(r[1]), at=r[2], detail=r[3]) for r in rows])


def score_of(*rules: Rule, **more: object) -> Score:
    return Score(name="s", rules=rules, **more)  # type: ignore[arg-type]


def rule(points: str = "20", **more: object) -> Rule:
    return Rule(name="r", points=Decimal(points), **{"on": "touchpoints", "where": "kind = 'click'", **more})  # type: ignore[arg-type]


def days(*ago: float) -> list[tuple[int, str, datetime]]:
    return [(1, "click", NOW - timedelta(days=d)) for d in ago]


CASES = {
    "no events": (rule(), [], "0"),
    "each event": (rule(), days(1, 2, 3), "60"),
    "another kind": (rule(where="kind = 'visit'"), days(1), "0"),
    "every row": (rule(where=""), days(1, 2), "40"),
    "the future does not count": (rule(), days(-0.001, 1), "20"),
    "an event right now counts": (rule(), days(0), "20"),
    "one half-life": (rule(decay=Decay(half_life="12 days")), days(12), "10"),
    "two half-lives": (rule(decay=Decay(half_life="12 days")), days(24), "5"),
    "nine days of twelve": (rule(decay=Decay(half_life="12 days")), days(9), "11.89"),
    "linear, half way": (rule(decay=Decay(linear="90 days")), days(45), "10"),
    "linear, at the end": (rule(decay=Decay(linear="90 days")), days(90), "0"),
    "linear, beyond the end": (rule(decay=Decay(linear="90 days")), days(91), "0"),
    "half-life, forgotten": (rule(decay=Decay(half_life="1 day")), days(400), "0"),
    "minus points": (rule("-5"), days(1, 2), "-10"),
    "minus points fade": (rule("-20", decay=Decay(half_life="12 days")), days(12), "-10"),
    "cap": (rule(cap=Decimal(30)), days(1, 2, 3), "30"),
    "cap on minus points": (rule("-20", cap=Decimal(30)), days(1, 2, 3), "-30"),
    "cap not reached": (rule(cap=Decimal(60)), days(1, 2, 3), "60"),
    "first": (rule(limit="first", decay=Decay(half_life="12 days")), days(1, 12, 6), "10"),
    "first, even when faded": (rule(limit="first", decay=Decay(linear="10 days")), days(1, 12), "0"),
    "first of a window": (
        rule(limit="first", decay=Decay(linear="20 days"), where="within('15 days')"),
        days(1, 10, 16),
        "10",
    ),
    "latest": (rule(limit=1, decay=Decay(half_life="12 days")), days(24, 12), "10"),
    "latest two, faded": (rule(limit=2, decay=Decay(half_life="12 days")), days(12, 24, 36), "15"),
    "at most two": (rule(limit=2), days(1, 2, 3), "40"),
    "daily": (rule(limit="daily"), days(1, 1.1, 2), "40"),
    "daily, faded by the first of the day": (rule(limit="daily", decay=Decay(linear="10 days")), days(5, 4.9), "10"),
    "daily in a window": (rule(limit="daily", where="kind = 'click' and within('3 days')"), days(1, 2, 5), "40"),
    "about the lead": (Rule(name="r", points=Decimal(7), where="employees >= 50"), [], "7"),
    "about the lead's events": (Rule(name="r", points=Decimal(7), where="count(touchpoints) >= 2"), days(1, 2), "7"),
    "field of the lead in a rule on events": (rule(where="kind = 'click' and employees > 10"), days(1), "20"),
    "latest with a field of the lead": (
        rule(where="employees > 10", limit=2, decay=Decay(half_life="12 days")),
        days(12, 24),
        "15",
    ),
    "daily with a field of the lead": (rule(where="employees > 10", limit="daily"), days(1, 2), "40"),
}


@pytest.mark.parametrize(("one", "events", "points"), CASES.values(), ids=CASES.keys())
def test_closed_form(
    connection: duckdb.DuckDBPyConnection, one: Rule, events: list[tuple[int, str, datetime]], points: str
) -> None:
    fill(connection, events)
    score = score_of(one)
    assert totals(connection, score)[1] == [Decimal(points)]
    assert sum((r.points for r in reasons(connection, score, 1)), Decimal(0)) == Decimal(points)


def test_groups_floor_and_ceiling(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, [*days(1, 2, 3), (1, "visit", NOW - HOUR), (2, "visit", NOW)])
    a, b = (
        rule(group="g", cap=Decimal(50)),
        Rule(name="v", points=Decimal(9), on="touchpoints", where="kind = 'visit'", group="g"),
    )
    score = score_of(a, b, groups={"g": Group(cap=Decimal(55))}, ceiling=Decimal(52), floor=Decimal(10))
    assert totals(connection, score) == {1: [Decimal(52)], 2: [Decimal(10)]}
    found = [(r.kind, r.name, r.points) for r in reasons(connection, score, 1)]
    assert found[3:] == [
        ("cap", "r", Decimal(-10)),
        ("event", "v", Decimal(9)),
        ("group", "g", Decimal(-4)),
        ("ceiling", "at most 52", Decimal(-3)),
    ]
    assert [r.kind for r in reasons(connection, score, 2)] == ["event", "floor"]


def test_many_scores_share_one_pass(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, days(1, 2))
    scores = [Score(name=f"s{n}", rules=(rule(str(n)),)) for n in range(1, 6)]
    plan = Plan(settings_of("leads", core_schemas(), NOW))
    assert totals_statement(plan, scores).count("from touchpoints ") == 1
    assert totals(connection, *scores)[1] == [Decimal(2 * n) for n in range(1, 6)]


@st.composite
def rules(draw: st.DrawFn, name: str) -> Rule:
    sign = draw(st.sampled_from([1, 1, -1]))
    points = Decimal(sign * draw(st.integers(1, 2000))) / 100
    if draw(st.integers(0, 5)) == 0:
        where = draw(st.sampled_from(["employees >= 50", "count(touchpoints) > 2", "employees is null"]))
        return Rule(name=name, points=points, where=where, group=draw(st.sampled_from([None, "g"])))
    decay = draw(
        st.none()
        | st.sampled_from(["1 day", "12 days", "36 hours", "30 weeks"]).map(lambda p: Decay(half_life=p))
        | st.sampled_from(["1 day", "90 days", "36 hours"]).map(lambda p: Decay(linear=p))
    )
    where = draw(
        st.sampled_from(
            [
                "",
                "kind = 'click'",
                "kind = 'visit'",
                "kind = 'open'",
                "kind = 'click' and within('30 days')",
                "kind <> 'visit'",
                "within('2 weeks')",
                "kind = 'visit' and employees > 10",
            ]
        )
    )
    return Rule(
        name=name,
        points=points,
        on="touchpoints",
        where=where,
        decay=decay,
        cap=draw(st.none() | st.integers(1, 5000).map(lambda n: Decimal(n) / 100)),
        limit=draw(st.none() | st.sampled_from(["first", "daily", 1, 2, 3])),  # type: ignore[arg-type]
        group=draw(st.sampled_from([None, "g", "h"])),
    )


@st.composite
def random_scores(draw: st.DrawFn) -> Score:
    made = [draw(rules(f"r{n}")) for n in range(draw(st.integers(1, 8)))]
    groups = {
        name: Group(cap=Decimal(draw(st.integers(100, 6000))) / 100) for name in {r.group for r in made if r.group}
    }
    floor = draw(st.none() | st.sampled_from([Decimal(0), Decimal(-30)]))
    return Score(
        name="s", rules=tuple(made), groups=groups, floor=floor, ceiling=draw(st.none() | st.just(Decimal("40.5")))
    )


moments = st.one_of(
    st.integers(0, 60 * 24 * 3600).map(lambda s: NOW - timedelta(seconds=s)),
    st.sampled_from([NOW, NOW + timedelta(microseconds=1), NOW - timedelta(days=30), NOW - timedelta(days=1)]),
)
event_lists = st.lists(
    st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from(["click", "visit", "open"]), moments), max_size=14
)
slow_data = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=60, deadline=None, suppress_health_check=slow_data)
@given(score=random_scores(), events=event_lists)
def test_the_reasons_add_up_to_the_score_of_the_run(
    connection: duckdb.DuckDBPyConnection, score: Score, events: list[tuple[int, str, datetime]]
) -> None:
    fill(connection, events, (50, None, 5))
    for lead, found in totals(connection, score).items():
        assert sum((r.points for r in reasons(connection, score, lead)), Decimal(0)) == found[0]
    statement = rules_statement(Plan(settings_of("leads", core_schemas(), NOW)), score)
    sql = f"select lead_id, sum(cast(points as decimal(18, 2))) from ({statement.sql}) group by lead_id"
    added = {row[0]: row[1] for row in connection.execute(sql, statement.params).fetchall()}
    assert {lead: found[0] for lead, found in totals(connection, score).items() if found[0]} == {
        lead: points for lead, points in added.items() if points
    }


@settings(max_examples=30, deadline=None, suppress_health_check=slow_data)
@given(score=random_scores(), events=event_lists, later=event_lists)
def test_a_score_depends_on_nothing_later_than_its_time(
    connection: duckdb.DuckDBPyConnection,
    score: Score,
    events: list[tuple[int, str, datetime]],
    later: list[tuple[int, str, datetime]],
) -> None:
    then = NOW - timedelta(days=20)
    past = [event for event in events if event[2] <= then]
    fill(connection, past)
    before = totals(connection, score, now=then)
    fill(connection, [*past, *(event for event in later if event[2] > then)])
    assert totals(connection, score, now=then) == before


@settings(max_examples=40, deadline=None, suppress_health_check=slow_data)
@given(
    ages=st.lists(st.integers(0, 100 * 86_400), max_size=6),
    half=st.booleans(),
    points=st.integers(-100, 100).filter(bool),
)
def test_decay_is_its_formula(connection: duckdb.DuckDBPyConnection, ages: list[int], half: bool, points: int) -> None:
    fill(connection, [(1, "click", NOW - timedelta(seconds=age)) for age in ages])
    decay = Decay(half_life="7 days") if half else Decay(linear="30 days")
    expected = Decimal(0)
    for age in ages:
        share = 0.5 ** (age / 86_400 / 7) if half else max(0.0, 1 - age / 86_400 / 30)
        expected += Decimal(points * 100 * share).quantize(Decimal(1), rounding=ROUND_HALF_UP) / 100
    assert totals(connection, score_of(rule(str(points), decay=decay)))[1] == [expected]


WRONG = {
    "no points": ({"points": Decimal(0)}, "points must not be 0"),
    "both decays": ({"decay": {"half_life": "1 day", "linear": "1 day"}}, "either half_life or linear"),
    "decay in months": ({"decay": {"half_life": "1 month"}}, "no fixed length"),
    "cap of nothing": ({"cap": Decimal(0)}, "greater than 0"),
    "limit of nothing": ({"limit": 0}, "1 or more"),
    "decay without on": ({"on": None, "decay": {"half_life": "1 day"}}, "go with on"),
    "nothing at all": ({"on": None, "where": " "}, "where is missing"),
}


@pytest.mark.parametrize(("change", "says"), WRONG.values(), ids=WRONG.keys())
def test_rules_without_meaning_are_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        values = dict(change)
        if isinstance(values.get("decay"), dict):
            values["decay"] = Decay(**values["decay"])  # type: ignore[arg-type]
        rule(**values)  # type: ignore[arg-type]


SCORES = {
    "two of a name": ({"rules": (rule(), rule())}, "two rules have the name"),
    "no such group": ({"rules": (rule(group="x"),)}, "no .groups.x."),
    "idle group": ({"rules": (rule(),), "groups": {"x": Group(cap=Decimal(1))}}, "no rule is in this group"),
    "too fine": ({"rules": (rule("0.001"),)}, "at most 2 decimals"),
    "floor above": ({"rules": (rule(),), "floor": Decimal(5), "ceiling": Decimal(1)}, "floor is above ceiling"),
    "no rules": ({}, "needs ..rules.."),
    "rules of a plugin": ({"rules": (rule(),), "strategy": "rfm"}, "go with the strategy 'rules'"),
    "same grade": (
        {"rules": (rule(),), "grades": (Grade(at_least=Decimal(1), grade="A"), Grade(at_least=Decimal(2), grade="A"))},
        "same grade",
    ),
}


@pytest.mark.parametrize(("values", "says"), SCORES.values(), ids=SCORES.keys())
def test_scores_that_contradict_themselves_are_refused(values: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Score(name="s", **values)  # type: ignore[arg-type]


GRADES = (
    Grade(at_least=Decimal(0), grade="C"),
    Grade(at_least=Decimal(50), grade="A"),
    Grade(at_least=Decimal(20), grade="B"),
)


@pytest.mark.parametrize(
    ("points", "grade"),
    [("-0.01", None), ("0", "C"), ("19.99", "C"), ("20", "B"), ("49.99", "B"), ("50", "A"), ("999", "A")],
)
def test_a_grade_begins_exactly_at_its_bound(points: str, grade: str | None) -> None:
    assert grade_of(score_of(rule(), grades=GRADES), Decimal(points)) == grade


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [("A", "1", "A1"), ("1", "A", "A1"), ("B", None, "B–"), (None, None, "––"), ("2", "3", "23")],
)
def test_a_cell_is_its_two_grades(one: str | None, other: str | None, name: str) -> None:
    assert cell(one, other) == name


def test_the_matrix_counts_every_pair_once() -> None:
    down = score_of(rule(), grades=GRADES)
    across = score_of(rule(), grades=(Grade(at_least=Decimal(1), grade="1"),))
    counted = grid(down, across, {("A", "1"): 3, ("C", None): 2, (None, "1"): 1})
    assert counted == [("A", [3, 0]), ("B", [0, 0]), ("C", [0, 2]), ("–", [1, 0])]


@pytest.mark.parametrize("window", [1, 61, 62, 123, 124, 184, 185, 186, 187, 400])
@pytest.mark.parametrize(
    "kinds", [("click",), ("click", "visit", "call", "open", "form")], ids=["alone", "beside others"]
)
def test_days_counted_in_bits_are_the_days_that_are_grouped(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, window: int, kinds: tuple[str, ...]
) -> None:
    connection.execute("truncate leads")
    connection.execute("truncate touchpoints")
    connection.execute("insert into leads (lead_id) values (1), (2)")
    connection.execute(
        "insert into touchpoints (event_id, lead_id, kind, \"at\") select concat_ws(':', n, h, k), 1 + n % 2, k,"
        " $now - to_days(n::integer) - to_hours(h) from range(0, $days, 3) r(n), unnest([0, 5, 11]) u(h),"
        " unnest($kinds) v(k)",
        {"now": NOW, "days": window + 3, "kinds": list(kinds)},
    )
    where = [f"kind = '{kind}' and within('{window} days')" for kind in kinds]
    score = score_of(*(replace(rule(limit="daily", where=text), name=f"r{n}") for n, text in enumerate(where)))
    counted = totals(connection, score)
    monkeypatch.setattr("sfactl.scoring.rules.MOST_WORDS", 0)
    assert totals(connection, score) == counted
    assert counted[1][0] > 0
