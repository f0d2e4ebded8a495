"""Days, months and birthdays in the workspace's zone, at their exact boundaries."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.engine.conditions import compile_condition, compile_many
from sfactl.engine.conditions.model import Condition
from sfactl.engine.conditions.moments import spans
from sfactl.engine.conditions.passing import moved
from sfactl.schemas import Schemas

TAIPEI, BERLIN, NEW_YORK = "Asia/Taipei", "Europe/Berlin", "America/New_York"
MOMENT = datetime(2026, 11, 21, 20)
"""Already the 22nd in Taipei."""


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("create table leads (lead_id bigint, created_at timestamp, birth_date date)")
        opened.execute('create table orders (lead_id bigint, "at" timestamp, amount decimal(18,4))')
        yield opened


def holds(
    connection: duckdb.DuckDBPyConnection,
    text: str,
    *,
    zone: str = "UTC",
    now: datetime = MOMENT,
    created_at: datetime | None = None,
    birth_date: date | None = None,
    orders: tuple[datetime, ...] = (),
) -> bool:
    connection.execute("truncate leads")
    connection.execute("truncate orders")
    connection.execute("insert into leads values (1, ?, ?)", [created_at, birth_date])
    for at in orders:
        connection.execute("insert into orders values (1, ?, 1)", [at])
    compiled = compile_condition(text, schemas=Schemas(zone=zone), now=now)
    return bool(connection.execute(compiled.sql, compiled.params).fetchall())


AT = datetime
CASES: dict[str, tuple[str, str, datetime, bool]] = {
    "the day there": ("date(created_at) = '2026-11-22'", TAIPEI, AT(2026, 11, 21, 16), True),
    "the last moment of the day before": (
        "date(created_at) = '2026-11-22'",
        TAIPEI,
        AT(2026, 11, 21, 15, 59, 59, 999999),
        False,
    ),
    "today there": ("date(created_at) = today()", TAIPEI, AT(2026, 11, 22, 1), True),
    "today in UTC": ("date(created_at) = today()", "UTC", AT(2026, 11, 22, 1), False),
    "the hour": ("hour(created_at) = 9", TAIPEI, AT(2026, 11, 21, 1, 30), True),
    "the weekday": ("isodow(created_at) = 1", TAIPEI, AT(2026, 11, 22, 17), True),
    "the week": ("week(created_at) = 48", TAIPEI, AT(2026, 11, 22, 17), True),
    "the year": ("year(created_at) = 2027", TAIPEI, AT(2026, 12, 31, 16), True),
    "days since": ("days_since(created_at) = 1", TAIPEI, AT(2026, 11, 20, 16), True),
    "a day beside a time": ("created_at >= '2026-11-22'", TAIPEI, AT(2026, 11, 21, 16), True),
    "a day beside a time, before": ("created_at < '2026-11-22'", TAIPEI, AT(2026, 11, 21, 15, 59), True),
    "a time without a zone": ("created_at = '2026-11-22 09:30'", TAIPEI, AT(2026, 11, 22, 1, 30), True),
    "a time with a zone": ("created_at = '2026-11-22T09:30Z'", TAIPEI, AT(2026, 11, 22, 9, 30), True),
    "a month ago on the wall": ("within('1 month', created_at)", TAIPEI, AT(2026, 10, 21, 20), True),
    "a moment before that": ("within('1 month', created_at)", TAIPEI, AT(2026, 10, 21, 19, 59, 59), False),
    "a day is 24 hours": ("within('28 days', created_at)", BERLIN, AT(2026, 10, 24, 20), True),
    "a month over the change of clocks": ("within('1 month', created_at)", BERLIN, AT(2026, 10, 21, 19), True),
    "before that": ("within('1 month', created_at)", BERLIN, AT(2026, 10, 21, 18, 59, 59), False),
    "so long ago": ("created_at <= now() - interval '3 days'", "UTC", AT(2026, 11, 18, 20), True),
    "not so long ago": ("created_at <= now() - interval '3 days'", "UTC", AT(2026, 11, 18, 20, 0, 1), False),
    "days before today": ("date(created_at) = today() - interval '2 days'", TAIPEI, AT(2026, 11, 19, 16), True),
    "the column moved": ("created_at + interval '1 month' <= now()", BERLIN, AT(2026, 10, 21, 19), True),
    "the column moved, too late": ("created_at + interval '1 month' <= now()", BERLIN, AT(2026, 10, 21, 19, 1), False),
}


@pytest.mark.parametrize(("text", "zone", "at", "expected"), CASES.values(), ids=CASES.keys())
def test_in_the_zone(connection: duckdb.DuckDBPyConnection, text: str, zone: str, at: datetime, expected: bool) -> None:
    assert holds(connection, text, zone=zone, created_at=at) is expected


@pytest.mark.parametrize("zone", ["UTC", TAIPEI, BERLIN])
@pytest.mark.parametrize(("micros", "expected"), [(-1, False), (0, True), (1, True)])
def test_exactly_three_days_ago_is_within_three_days(
    connection: duckdb.DuckDBPyConnection, zone: str, micros: int, expected: bool
) -> None:
    at = MOMENT - timedelta(days=3) + timedelta(microseconds=micros)
    text = "has(orders) filter (where within('3 days'))"
    assert holds(connection, text, zone=zone, orders=(at,)) is expected


@pytest.mark.parametrize("server", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_the_machines_zone_changes_nothing(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    monkeypatch.setitem(os.environ, "TZ", server)
    time.tzset()
    try:
        connection.execute(f"set timezone = '{server}'")
        text = "date(created_at) = today() and hour(created_at) = 4 and created_at >= '2026-11-22 04:00'"
        assert holds(connection, text, zone=TAIPEI, created_at=MOMENT)
    finally:
        connection.execute("set timezone = 'UTC'")
        monkeypatch.undo()
        time.tzset()


@settings(max_examples=30)
@given(at=st.datetimes(datetime(2015, 1, 1), datetime(2030, 12, 31)), zone=st.sampled_from([TAIPEI, BERLIN, NEW_YORK]))
def test_parts_of_a_time_are_those_on_the_wall(connection: duckdb.DuckDBPyConnection, at: datetime, zone: str) -> None:
    shown = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    parts = {
        "year": shown.year,
        "quarter": (shown.month + 2) // 3,
        "month": shown.month,
        "week": shown.isocalendar().week,
        "day": shown.day,
        "hour": shown.hour,
        "isodow": shown.isoweekday(),
    }
    text = " and ".join(f"{name}(created_at) = {value}" for name, value in parts.items())
    text += f" and date(created_at) = '{shown.date()}'"
    assert holds(connection, text, zone=zone, now=at, created_at=at)


BIRTHDAYS: dict[str, tuple[str, date, date, bool]] = {
    "today": ("anniversary(birth_date)", date(1990, 11, 21), date(2026, 11, 21), True),
    "tomorrow": ("anniversary(birth_date)", date(1990, 11, 22), date(2026, 11, 21), False),
    "in exactly seven days": ("anniversary(birth_date, '7 days')", date(1990, 11, 28), date(2026, 11, 21), True),
    "in eight days": ("anniversary(birth_date, '7 days')", date(1990, 11, 29), date(2026, 11, 21), False),
    "yesterday": ("anniversary(birth_date, '7 days')", date(1990, 11, 20), date(2026, 11, 21), False),
    "over the new year": ("anniversary(birth_date, '7 days')", date(1990, 1, 2), date(2026, 12, 28), True),
    "just before the new year": ("anniversary(birth_date, '7 days')", date(1990, 12, 31), date(2026, 12, 28), True),
    "29 February in a common year": ("anniversary(birth_date)", date(1992, 2, 29), date(2026, 2, 28), True),
    "not on 1 March": ("anniversary(birth_date)", date(1992, 2, 29), date(2026, 3, 1), False),
    "29 February in a leap year": ("anniversary(birth_date)", date(1992, 2, 29), date(2028, 2, 29), True),
    "not on the 28th of a leap year": ("anniversary(birth_date)", date(1992, 2, 29), date(2028, 2, 28), False),
    "the 28th is the 28th": ("anniversary(birth_date)", date(1992, 2, 28), date(2028, 2, 28), True),
    "the day itself is no anniversary": ("anniversary(birth_date)", date(2026, 11, 21), date(2026, 11, 21), False),
    "a whole year": ("anniversary(birth_date, '1 year')", date(1990, 11, 20), date(2026, 11, 21), True),
}


@pytest.mark.parametrize(("text", "born", "today", "expected"), BIRTHDAYS.values(), ids=BIRTHDAYS.keys())
def test_anniversary(connection: duckdb.DuckDBPyConnection, text: str, born: date, today: date, expected: bool) -> None:
    now = datetime.combine(today, datetime.min.time())
    assert holds(connection, text, now=now, birth_date=born) is expected


def test_no_birthday_is_unknown(connection: duckdb.DuckDBPyConnection) -> None:
    assert not holds(connection, "anniversary(birth_date, '7 days')")
    assert not holds(connection, "not anniversary(birth_date, '7 days')")


@given(first=st.dates(date(2000, 1, 1), date(2040, 1, 1)), length=st.integers(0, 800))
def test_the_days_of_a_span(first: date, length: int) -> None:
    days = [first + timedelta(days=n) for n in range(length + 1)]
    expected = {day.month * 100 + day.day for day in days}
    expected |= {229 for day in days if day.month == 2 and day.day == 28 and (day + timedelta(days=1)).month == 3}
    every = {m * 100 + d for m in range(1, 13) for d in range(1, 32)} & {
        (date(2000, 1, 1) + timedelta(days=n)).month * 100 + (date(2000, 1, 1) + timedelta(days=n)).day
        for n in range(366)
    }
    found = {
        number
        for low, high in spans(first, first + timedelta(days=length))
        for number in every
        if low <= number <= high
    }
    # A year without a leap day leaves it out only where the 28th is no part of the span.
    assert found == expected | ({229} & found if length >= 300 else set())


@settings(max_examples=40)
@given(
    zone=st.sampled_from(["UTC", TAIPEI, BERLIN]),
    period=st.sampled_from(["3 days", "1 month", "1 year 2 days", "5 hours"]),
    then=st.datetimes(datetime(2026, 10, 20), datetime(2026, 11, 30)),
    hours=st.integers(0, 900),
    back=st.integers(0, 80 * 24 * 60),
)
def test_whoever_passing_time_moves_is_looked_at(
    connection: duckdb.DuckDBPyConnection, zone: str, period: str, then: datetime, hours: int, back: int
) -> None:
    now, at = then + timedelta(hours=hours), then + timedelta(hours=hours) - timedelta(minutes=back)
    text = f"has(orders) filter (where within('{period}')) or within('{period if 'hour' not in period else '1 day'}', birth_date)"
    facts = {"zone": zone, "orders": (at,), "birth_date": at.date()}
    changed = holds(connection, text, now=then, **facts) != holds(connection, text, now=now, **facts)  # type: ignore[arg-type]
    many = compile_many([Condition(name="x", text=text)], schemas=Schemas(zone=zone), now=now)
    seen = 0
    for number, window in enumerate(many.windows or ()):
        passed = moved(window, str(number), then, now)
        asked = f"select lead_id from {window.dataset} where {passed.sql}"
        seen += len(connection.execute(asked, passed.bounds).fetchall())
    assert seen or not changed
