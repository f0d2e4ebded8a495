"""Working time against cases worked out by hand, and the laws it keeps."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.config.calendars import day_hours
from sfactl.engine.calendars import Calendar, CalendarError, Hours, always, instant, merged, micros, moment

TAIPEI, BERLIN, UTC = ZoneInfo("Asia/Taipei"), ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
MINUTE = timedelta(minutes=1)


def hours(*texts: str) -> tuple[Hours, ...]:
    return day_hours(texts, "test")


OFFICE = Calendar(zone=UTC, week=(hours("09:00-12:30", "13:30-18:00"),) * 5 + ((), ()))
NIGHT = Calendar(zone=BERLIN, week=(hours("00:00-06:00"),) * 7)
CHINA = Calendar(
    zone=ZoneInfo("Asia/Shanghai"), week=OFFICE.week, country="CN", make_up=hours("09:00-12:30", "13:30-18:00")
)
LIBERATION = Calendar(zone=UTC, week=OFFICE.week, days={date(2026, 5, 5): (), date(2026, 5, 9): hours("10:00-12:00")})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("calendar", "start", "minutes", "due"),
    [
        # 2026-05-04 is a Monday.
        pytest.param(OFFICE, "2026-05-04 09:00", 30, "2026-05-04 09:30", id="plain"),
        pytest.param(OFFICE, "2026-05-04 12:30", 30, "2026-05-04 14:00", id="in the lunch break it begins at 13:30"),
        pytest.param(OFFICE, "2026-05-04 12:20", 30, "2026-05-04 13:50", id="over the lunch break"),
        pytest.param(OFFICE, "2026-05-04 17:30", 30, "2026-05-04 18:00", id="up to the end of the day, not the next"),
        pytest.param(OFFICE, "2026-05-04 17:45", 30, "2026-05-05 09:15", id="over the night"),
        pytest.param(OFFICE, "2026-05-08 17:45", 30, "2026-05-11 09:15", id="over the weekend"),
        pytest.param(OFFICE, "2026-05-09 11:00", 60, "2026-05-11 10:00", id="on a Saturday"),
        pytest.param(OFFICE, "2026-05-04 07:00", 480, "2026-05-04 18:00", id="a whole day of two periods"),
        pytest.param(OFFICE, "2026-05-04 07:00", 2400, "2026-05-08 18:00", id="a whole week"),
        pytest.param(OFFICE, "2026-05-04 12:45", 0, "2026-05-04 12:45", id="no time needs none"),
        pytest.param(LIBERATION, "2026-05-04 17:00", 120, "2026-05-06 10:00", id="over a closed day"),
        pytest.param(LIBERATION, "2026-05-08 18:00", 60, "2026-05-09 11:00", id="on an open Saturday"),
        # 2026-02-14 is a Saturday on which China works for the spring festival; 02-15 to 02-23 are days off.
        pytest.param(CHINA, "2026-02-13 10:00", 60, "2026-02-14 02:00", id="make-up workday, Shanghai is UTC+8"),
        pytest.param(CHINA, "2026-02-14 10:00", 60, "2026-02-24 02:00", id="over the spring festival"),
        # In Berlin the clock goes from 02:00 to 03:00 on 2026-03-29 and from 03:00 back to 02:00 on 2026-10-25.
        pytest.param(NIGHT, "2026-03-28 23:00", 300, "2026-03-29 04:00", id="a night of five hours"),
        pytest.param(NIGHT, "2026-10-24 22:00", 420, "2026-10-25 05:00", id="a night of seven hours"),
        pytest.param(NIGHT, "2026-03-28 23:00", 301, "2026-03-29 22:01", id="one minute more is the next night"),
    ],
)
def test_add_by_hand(calendar: Calendar, start: str, minutes: int, due: str) -> None:
    assert calendar.add(at(start), minutes * MINUTE) == at(due)
    assert calendar.between(at(start), at(due)) == minutes * MINUTE


@pytest.mark.parametrize(
    ("calendar", "start", "opens"),
    [
        pytest.param(OFFICE, "2026-05-04 12:30", "2026-05-04 13:30", id="lunch"),
        pytest.param(OFFICE, "2026-05-04 11:00", "2026-05-04 11:00", id="open already"),
        pytest.param(OFFICE, "2026-05-08 18:00", "2026-05-11 09:00", id="weekend"),
        pytest.param(CHINA, "2026-10-10 00:00", "2026-10-10 01:00", id="a working Saturday"),
    ],
)
def test_opens(calendar: Calendar, start: str, opens: str) -> None:
    assert calendar.opens(at(start)) == at(opens)
    assert calendar.is_open(at(start)) == (start == opens)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-03-29 01:30", "2026-03-29 00:30", id="before the gap"),
        pytest.param("2026-03-29 02:00", "2026-03-29 01:00", id="gap begins"),
        pytest.param("2026-03-29 02:30", "2026-03-29 01:00", id="a time that is jumped over is the jump"),
        pytest.param("2026-03-29 03:00", "2026-03-29 01:00", id="gap ends"),
        pytest.param("2026-10-25 02:30", "2026-10-25 00:30", id="a time that comes twice is the first"),
        pytest.param("2026-10-25 03:00", "2026-10-25 02:00", id="after the overlap"),
    ],
)
def test_wall_times_of_a_changing_clock(text: str, expected: str) -> None:
    wall = at(text)
    assert instant(wall.date(), wall.hour * 3600 + wall.minute * 60, BERLIN) == at(expected)


def test_closed_stretches_may_overlap_and_pause_the_clock() -> None:
    away = OFFICE.without(
        [(at("2026-05-04 10:00"), at("2026-05-04 15:00")), (at("2026-05-04 14:00"), at("2026-05-05 10:00"))]
    )
    assert away.add(at("2026-05-04 09:30"), 60 * MINUTE) == at("2026-05-05 10:30")
    assert away.between(at("2026-05-04 09:00"), at("2026-05-05 18:00")) == timedelta(hours=8)


def test_no_working_time_is_an_error_not_a_long_wait() -> None:
    never = OFFICE.without([(at("2000-01-01"), at("2100-01-01"))])
    with pytest.raises(CalendarError, match="not enough working time"):
        never.add(at("2026-05-04"), MINUTE)
    with pytest.raises(CalendarError, match="not enough working time"):
        never.opens(at("2026-05-04"))
    with pytest.raises(CalendarError, match="less than nothing"):
        OFFICE.add(at("2026-05-04"), -MINUTE)
    assert never.between(at("2026-05-04"), at("2026-06-04")) == timedelta()


def test_round_the_clock_is_wall_time() -> None:
    assert always(BERLIN).between(at("2026-03-01"), at("2026-04-01")) == timedelta(days=31)


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31))
SPANS = st.timedeltas(timedelta(), timedelta(days=12))
PERIODS = st.lists(st.integers(0, 95), min_size=2, max_size=6, unique=True).map(
    lambda marks: tuple(
        Hours(start_s=a * 900, end_s=b * 900) for a, b in zip(sorted(marks)[::2], sorted(marks)[1::2], strict=False)
    )
)
CALENDARS = st.builds(
    Calendar,
    zone=st.sampled_from([TAIPEI, BERLIN, UTC, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")]),
    week=st.tuples(*[PERIODS] * 5, st.just(()), PERIODS),
    days=st.dictionaries(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.just(()), max_size=4),
    closed=st.lists(st.tuples(MOMENTS, SPANS).map(lambda m: (m[0], m[0] + m[1])), max_size=3).map(tuple),
)


@settings(max_examples=60)
@given(calendar=CALENDARS, start=MOMENTS, first=SPANS, second=SPANS)
def test_adding_then_measuring_gives_back_what_was_added(
    calendar: Calendar, start: datetime, first: timedelta, second: timedelta
) -> None:
    first, second = first / 10, second / 10
    reached = calendar.add(start, first)
    assert calendar.between(start, reached) == first
    assert calendar.add(reached, second) == calendar.add(start, first + second)


@settings(max_examples=60)
@given(calendar=CALENDARS, moments=st.lists(MOMENTS, min_size=3, max_size=3).map(sorted))
def test_measuring_is_additive_and_monotone(calendar: Calendar, moments: list[datetime]) -> None:
    a, b, c = moments[0], moments[0] + (moments[1] - moments[0]) / 20, moments[0] + (moments[2] - moments[0]) / 20
    assert calendar.between(a, b) + calendar.between(b, c) == calendar.between(a, c)
    assert timedelta() <= calendar.between(a, b) <= calendar.between(a, c) <= c - a


@settings(max_examples=40)
@given(calendar=CALENDARS, start=MOMENTS, more=st.lists(SPANS, min_size=1, max_size=5), amount=st.integers(0, 3000))
def test_many_at_once_are_the_same_as_one_by_one(
    calendar: Calendar, start: datetime, more: list[timedelta], amount: int
) -> None:
    moments = [start, *(start + m for m in more)]
    line = calendar.timeline(start - timedelta(days=1), max(moments) + timedelta(days=90))
    stamps = np.array([micros(m) for m in moments], dtype=np.int64)
    passed = line.passed(stamps)
    assert [int(p - passed[0]) for p in passed] == [
        micros(datetime(1970, 1, 1) + calendar.between(start, m)) for m in moments
    ]
    due = [moment(int(m)) for m in line.after(stamps, amount * 60_000_000)]
    assert due == [calendar.add(m, amount * MINUTE) for m in moments]


@settings(max_examples=60)
@given(st.lists(st.tuples(MOMENTS, SPANS).map(lambda m: (m[0], m[0] + m[1])), max_size=6))
def test_merging_leaves_no_overlap_and_loses_nothing(intervals: list[tuple[datetime, datetime]]) -> None:
    found = merged(intervals)
    assert all(a[1] < b[0] for a, b in pairwise(found))
    for begin, end in intervals:
        assert begin == end or any(b <= begin and end <= e for b, e in found)
