"""When something is due: cron and RRULE on a wall clock that jumps."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.engine.schedules import ScheduleError, parse_schedule

BERLIN = ZoneInfo("Europe/Berlin")


def times(text: str, after: str, n: int, zone: ZoneInfo = BERLIN) -> list[str]:
    found = islice(parse_schedule(text).after(datetime.fromisoformat(after), zone), n)
    return [f"{at:%m-%d %H:%M}" for at in found]


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        pytest.param("0 9 * * mon-fri", "2026-11-20T08:00", ["11-23 08:00", "11-24 08:00"], id="the moment is not after"),
        pytest.param("@weekly", "2026-11-20", ["11-21 23:00", "11-28 23:00"], id="an alias"),
        pytest.param("0 0 L * *", "2026-11-20", ["11-29 23:00", "12-30 23:00"], id="last day of the month"),
        pytest.param("30 2 * * *", "2026-03-28T02:00", ["03-29 01:00", "03-30 00:30"], id="cron: a skipped hour, right after"),
        pytest.param("30 2 * * *", "2026-10-24T02:00", ["10-25 00:30", "10-26 01:30"], id="cron: a doubled hour, once"),
        pytest.param("30 2 * * *", "2026-10-25T00:45", ["10-26 01:30"], id="cron: between the two, not again"),
        pytest.param("0 * * * *", "2026-10-24T23:30", ["10-25 00:00", "10-25 01:00", "10-25 02:00"], id="hourly: elapsed time"),
        pytest.param("0 * * * *", "2026-03-29T00:00", ["03-29 01:00", "03-29 02:00"], id="hourly: nothing is skipped"),
        pytest.param("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "2026-03-28T02:00", ["03-29 01:00", "03-30 00:30"], id="rule: skipped"),
        pytest.param("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "2026-10-24T02:00", ["10-25 00:30", "10-26 01:30"], id="rule: doubled"),
        pytest.param("RRULE:FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9", "2026-11-20", ["11-27 08:00", "12-25 08:00"], id="last friday"),
        pytest.param("DTSTART:20261102T090000 RRULE:FREQ=WEEKLY;INTERVAL=2", "2026-11-20", ["11-30 08:00", "12-14 08:00"], id="every other week"),
        pytest.param("DTSTART:20201102T090000 RRULE:FREQ=WEEKLY;COUNT=2", "2026-11-20", [], id="a rule that has ended"),
        pytest.param("RRULE:FREQ=DAILY;BYHOUR=9;UNTIL=20261122T235959Z", "2026-11-20T09:00", ["11-21 08:00", "11-22 08:00"], id="until"),
    ],
)  # fmt: skip
def test_slots(text: str, after: str, expected: list[str]) -> None:
    assert times(text, after, max(len(expected), 1) if not expected or "UNTIL" not in text else 5) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "five fields"),
        ("whenever", "five fields"),
        ("0 0 9 * * *", "five fields"),
        ("61 9 * * *", "bad minute"),
        ("0 9 * * fun", "bad day-of-week"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("@often", "Known: @hourly"),
        ("RRULE:FREQ=DAILY", "say BYHOUR"),
        ("RRULE:FREQ=WEEKLY;BYHOUR=9", "say BYDAY"),
        ("RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;BYHOUR=9", "need a start"),
        ("RRULE:FREQ=MINUTELY", "for minutes use cron"),
        ("RRULE:FREQ=DAILY;BYHOUR=99", "hour must be in 0..23"),
        ("RRULE:FREQ=DAILY;BYHOUR=9;FOO=1", "unknown parameter"),
        ("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;BYHOUR=1", "never comes"),
        ("DTSTART;TZID=Asia/Taipei:20261102T090000 RRULE:FREQ=WEEKLY", "wall time of the workspace"),
        ("RRULE:FREQ=DAILY;BYHOUR=9 and then some", "not a schedule"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(ScheduleError, match=message.replace("*", r"\*").replace("..", r"\.\.")):
        parse_schedule(text)


@settings(max_examples=40)
@given(
    minute=st.sampled_from(["0", "30", "*/20", "15,45"]),
    hour=st.sampled_from(["*", "2", "1-3", "*/6", "0"]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Taipei"]),
)
def test_asking_in_pieces_gives_each_slot_once(minute: str, hour: str, start: datetime, zone: str) -> None:
    schedule, place = parse_schedule(f"{minute} {hour} * * *"), ZoneInfo(zone)
    whole = schedule.between(start, start + timedelta(days=3), place, most=1000)
    pieces = [
        at
        for n in range(6)
        for at in schedule.between(start + n * timedelta(hours=12), start + (n + 1) * timedelta(hours=12), place, most=1000)
    ]  # fmt: skip
    assert whole == pieces
    assert all(earlier < later for earlier, later in pairwise(whole))
    assert schedule.latest(start, start + timedelta(days=3), place) == (whole[-1] if whole else None)


def test_the_latest_slot_is_found_however_long_ago_the_last_one_was() -> None:
    each_year = parse_schedule("0 0 29 2 *")
    assert each_year.latest(datetime(2001, 1, 1), datetime(2027, 1, 1), ZoneInfo("UTC")) == datetime(2024, 2, 29)
