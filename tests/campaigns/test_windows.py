"""Zones of contacts and sending windows, over changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.campaigns.model import Window
from sfactl.campaigns.windows import opens_at, zone_of
from sfactl.config.touch import DAYS

WEEK: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("time_zone", "country", "zone"),
    [
        pytest.param("Asia/Tokyo", "TW", "Asia/Tokyo", id="own-zone-wins"),
        pytest.param(None, "TW", "Asia/Taipei", id="country"),
        pytest.param(None, "us", "America/New_York", id="country-with-many-zones"),
        pytest.param("Mars/Base", "JP", "Asia/Tokyo", id="unknown-zone"),
        pytest.param("../etc/passwd", "JP", "Asia/Tokyo", id="not-a-zone"),
        pytest.param(None, None, "Europe/Berlin", id="workspace"),
        pytest.param("", "ZZ", "Europe/Berlin", id="unknown-country"),
    ],
)
def test_zone_of_a_contact(time_zone: str | None, country: str | None, zone: str) -> None:
    assert zone_of(time_zone, country, "Europe/Berlin") == zone


@pytest.mark.parametrize(
    ("days", "hours", "zone", "at", "opens"),
    [
        pytest.param(WEEK, "09:00-18:00", "Asia/Taipei", "2026-11-23T01:00", "2026-11-23T01:00", id="at-opening"),
        pytest.param(WEEK, "09:00-18:00", "Asia/Taipei", "2026-11-23T00:59:59", "2026-11-23T01:00", id="just-before"),
        pytest.param(WEEK, "09:00-18:00", "Asia/Taipei", "2026-11-23T10:00", "2026-11-24T01:00", id="at-closing"),
        pytest.param(WEEK, "09:00-18:00", "Asia/Taipei", "2026-11-20T10:30", "2026-11-23T01:00", id="over-weekend"),
        pytest.param(
            WEEK, "09:00-18:00", "America/Los_Angeles", "2026-11-23T03:00", "2026-11-23T17:00", id="day-is-local"
        ),
        pytest.param(
            ("sun",), "00:00-24:00", "Pacific/Kiritimati", "2026-11-21T10:00", "2026-11-21T10:00", id="utc+14"
        ),
        pytest.param(DAYS, "00:00-24:00", "UTC", "2026-11-21T23:59:59", "2026-11-21T23:59:59", id="always"),
        # 2026-03-29 02:00 → 03:00 in Berlin: 02:30 does not exist, the window opens when the gap ends (01:00 UTC)
        pytest.param(("sun",), "02:30-05:00", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00", id="gap"),
        # 2026-10-25 03:00 → 02:00 in Berlin: 02:30 exists twice, the first is 00:30 UTC
        pytest.param(("sun",), "02:30-05:00", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30", id="overlap"),
        # Both ends fall into the gap, so there is no such hour that Sunday
        pytest.param(("sun",), "02:10-02:50", "Europe/Berlin", "2026-03-28T12:00", "2026-04-05T00:10", id="inside-gap"),
        # The window closes when the clock first shows 02:30; the second 02:15 is outside
        pytest.param(
            ("sun",), "01:00-02:30", "Europe/Berlin", "2026-10-25T01:15", "2026-11-01T00:00", id="closed-once"
        ),
        # It closes inside the gap of 2026-03-29, so at 03:00 it is over
        pytest.param(
            ("sun",), "01:00-02:30", "Europe/Berlin", "2026-03-29T01:00", "2026-04-04T23:00", id="closes-in-gap"
        ),
        # Lord Howe moves by half an hour: 02:00 → 02:30 on 2026-10-04
        pytest.param(
            ("sun",), "02:15-05:00", "Australia/Lord_Howe", "2026-10-03T12:00", "2026-10-03T15:30", id="half-hour"
        ),
        # Morocco goes back for Ramadan: 2026-02-15 03:00 → 02:00
        pytest.param(
            ("sun",), "02:30-05:00", "Africa/Casablanca", "2026-02-14T12:00", "2026-02-15T01:30", id="ramadan"
        ),
        # Samoa left out Friday 2011-12-30: the next Friday is a week later
        pytest.param(
            ("fri",), "09:00-18:00", "Pacific/Apia", "2011-12-29T20:00", "2012-01-05T19:00", id="day-left-out"
        ),
        # Turkey stayed on summer time in 2016, and Mexico left it in 2022
        pytest.param(DAYS, "09:00-18:00", "Europe/Istanbul", "2026-01-15T05:00", "2026-01-15T06:00", id="stayed-ahead"),
        pytest.param(
            DAYS, "09:00-18:00", "America/Mexico_City", "2026-07-15T14:00", "2026-07-15T15:00", id="gave-it-up"
        ),
        pytest.param(
            DAYS, "09:00-18:00", "America/Sao_Paulo", "2026-11-21T11:00", "2026-11-21T12:00", id="dst-abolished"
        ),
    ],
)
def test_next_opening(days: tuple, hours: str, zone: str, at: str, opens: str) -> None:
    assert opens_at(Window(days=days, hours=hours), zone, utc(at)) == utc(opens)


@settings(max_examples=60, deadline=None)
@given(
    at=st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2028, 1, 1)),
    zone=st.sampled_from(
        ["Asia/Taipei", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]
    ),
    start=st.integers(0, 22),
    days=st.sets(st.sampled_from(DAYS), min_size=1),
)
def test_an_opening_is_open_and_the_first(at: datetime, zone: str, start: int, days: set) -> None:
    window = Window(days=tuple(days), hours=f"{start:02}:00-{start + 1:02}:30")
    opening = opens_at(window, zone, at)

    def is_open(moment: datetime) -> bool:
        local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
        minute = local.hour * 60 + local.minute
        return DAYS[local.weekday()] in window.days and start * 60 <= minute < start * 60 + 90

    assert opening >= at
    assert is_open(opening) or start < 4  # in the night the clock may jump over the window
    assert opens_at(window, zone, opening) == opening
    earlier = [at + timedelta(minutes=30 * i) for i in range(int((opening - at).total_seconds() // 1800))]
    assert not [m for m in earlier if m < opening and is_open(m)] or start < 4
