"""Read the times of a test: a date, a time, or so long before or after the clock. Pure; all times are UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time

from sfactl.engine.periods import parse_period

_RELATIVE = re.compile(
    r"(?:(?P<ago>.+?) ago|in (?P<ahead>.+?)|(?P<now>now|today))(?: at (?P<time>\d\d:\d\d(?::\d\d)?))?"
)
EXAMPLE = "'2026-11-01 09:30', '3 days ago', '3 days ago at 14:00', 'in 2 days' or 'now'"


def moment(value: object, clock: datetime) -> datetime:
    """The time that a test means, naive UTC. Raises `ValueError`, which `PeriodError` is too."""
    if isinstance(value, datetime):
        return utc(value)
    if isinstance(value, date):
        return datetime.combine(value, time())
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a time. Write {EXAMPLE}")
    if found := _RELATIVE.fullmatch(value.strip()):
        return _relative(found, clock)
    try:
        return utc(datetime.fromisoformat(value))
    except ValueError:
        raise ValueError(f"{value!r} is not a time. Write {EXAMPLE}") from None


def day(value: object, clock: datetime) -> date:
    """The day that a test means. Raises `ValueError`."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return moment(value, clock).date()


def utc(at: datetime) -> datetime:
    """A time with a zone as naive UTC; one without is UTC already."""
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at


def _relative(found: re.Match[str], clock: datetime) -> datetime:
    at = clock
    if found["ago"]:
        at = parse_period(found["ago"]).before(clock)
    elif found["ahead"]:
        at = parse_period(found["ahead"]).after(clock)
    return datetime.combine(at.date(), time.fromisoformat(found["time"])) if found["time"] else at
