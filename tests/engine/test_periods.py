"""Periods: what may be written, and exact arithmetic along the calendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfactl.api.errors import UserError
from sfactl.engine.periods import Period, PeriodError, parse_period

DAY = 86_400


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("30 days", Period(seconds=30 * DAY)),
        ("1 day", Period(seconds=DAY)),
        ("2 weeks", Period(seconds=14 * DAY)),
        ("1 year", Period(months=12)),
        ("1 quarter", Period(months=3)),
        ("1 year 6 months", Period(months=18)),
        ("1 month and 2 days", Period(months=1, seconds=2 * DAY)),
        ("3d", Period(seconds=3 * DAY)),
        ("12H", Period(seconds=43_200)),
        (" 90  minutes ", Period(seconds=5400)),
        ("0 days", Period()),
    ],
)
def test_what_people_write(text: str, period: Period) -> None:
    assert parse_period(text) == period


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a period"),
        ("days", "not a period"),
        ("30", "not a period"),
        ("1.5 days", "not a period"),
        ("-3 days", "not a period"),
        ("30 dayz", "unknown unit"),
        ("5 m", "minutes or months"),
        ("30 days ago", "not a period"),
        ("2000 years", "longer than"),
    ],
)
def test_what_is_refused(text: str, says: str) -> None:
    with pytest.raises(PeriodError, match=says) as caught:
        parse_period(text)
    assert isinstance(caught.value, UserError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("text", "start", "before"),
    [
        ("1 month", datetime(2026, 3, 31, 9), datetime(2026, 2, 28, 9)),
        ("1 month", datetime(2024, 3, 31, 9), datetime(2024, 2, 29, 9)),
        ("1 year", datetime(2024, 2, 29), datetime(2023, 2, 28)),
        ("1 month 1 day", datetime(2026, 3, 31), datetime(2026, 2, 27)),
        ("90 days", datetime(2026, 3, 1, 12, 0, 0, 1), datetime(2025, 12, 1, 12, 0, 0, 1)),
        ("1 quarter", date(2026, 5, 31), date(2026, 2, 28)),
        ("2 weeks", date(2026, 1, 1), date(2025, 12, 18)),
    ],
)
def test_before(text: str, start: date, before: date) -> None:
    assert parse_period(text).before(start) == before


@pytest.mark.parametrize("moment", [date(2026, 1, 1)])
def test_hours_do_not_move_a_date(moment: date) -> None:
    with pytest.raises(PeriodError, match="whole number of days"):
        parse_period("36 hours").before(moment)


def test_leaving_the_calendar_is_an_error() -> None:
    with pytest.raises(PeriodError, match="leaves the calendar"):
        parse_period("900 years").after(datetime(9500, 1, 1))


def test_months_have_no_fixed_length() -> None:
    assert parse_period("36 hours").fixed_days == 1.5
    with pytest.raises(PeriodError, match="no fixed length"):
        _ = parse_period("1 month").fixed_days


periods = st.builds(Period, months=st.integers(0, 500), seconds=st.integers(0, 10**9))
moments = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1))


@given(periods)
def test_its_text_reads_back(period: Period) -> None:
    assert parse_period(str(period)) == period


@given(periods, moments)
def test_before_and_after_keep_order_and_stay_within_the_month_end(period: Period, moment: datetime) -> None:
    back = period.before(moment)
    assert back <= moment <= period.after(moment)
    # Months differ by up to three days, and seconds that cross a month's end can add one.
    assert moment - timedelta(days=4) <= period.after(back) <= moment + timedelta(days=4)


@given(periods, moments, moments)
def test_before_is_monotonic(period: Period, one: datetime, other: datetime) -> None:
    early, late = sorted((one, other))
    assert period.before(early) <= period.before(late)
