"""Spans of time as people write them (``30 days``, ``2 weeks``, ``1 year 6 months``) and exact arithmetic with them.

Months, quarters and years move along the calendar and stay inside the target month (31 March less one month is the last
day of February). Weeks, days, hours, minutes and seconds are fixed lengths of UTC time; a day is always 24 hours.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from sfactl.api.errors import UserError

Moment = TypeVar("Moment", date, datetime)

MONTHS = {"month": 1, "quarter": 3, "year": 12}
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
SHORT = {
    "s": "second",
    "sec": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "y": "year",
}

DAY_S = SECONDS["day"]
LONGEST_YEARS = 1000

_PART = re.compile(r"\s*(\d+)\s*([A-Za-z]+)\s*(?:,|and\b)?")


class PeriodError(UserError, ValueError):
    """The text is not a period, or the period cannot be used here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A span of time: whole months along the calendar and whole seconds of fixed length, both zero or more."""

    months: int = 0
    seconds: int = 0

    def before(self, moment: Moment) -> Moment:
        """The moment this long before ``moment``: first the months are taken off, then the fixed part."""
        return self._shift(moment, -1)

    def after(self, moment: Moment) -> Moment:
        """The moment this long after ``moment``: first the months are added, then the fixed part."""
        return self._shift(moment, 1)

    @property
    def fixed_days(self) -> float:
        """The length in days. Raises `PeriodError` for months, quarters and years, whose length varies."""
        if self.months:
            raise PeriodError(f"'{self}' has no fixed length: months differ in days. Write it in days or weeks")
        return self.seconds / DAY_S

    def _shift(self, moment: Moment, sign: int) -> Moment:
        if not isinstance(moment, datetime) and self.seconds % DAY_S:
            raise PeriodError(f"'{self}' is not a whole number of days, as a date needs")
        try:
            return shift_months(moment, sign * self.months) + timedelta(seconds=sign * self.seconds)
        except (OverflowError, ValueError):
            raise PeriodError(f"'{self}' from {moment} leaves the calendar") from None

    def __str__(self) -> str:
        parts = [_count(self.months // 12, "year"), _count(self.months % 12, "month")]
        rest = self.seconds
        for unit in ("day", "hour", "minute", "second"):
            amount, rest = divmod(rest, SECONDS[unit])
            parts.append(_count(amount, unit))
        return " ".join(p for p in parts if p) or "0 days"


def parse_period(text: str) -> Period:
    """Read ``30 days``, ``2 weeks``, ``1 year 6 months``, ``12h`` or ``3d``.

    Units: second, minute, hour, day, week, month, quarter, year (also plural), and s, sec, min, h, d, w, mo, y. Only
    whole numbers. Raises `PeriodError`, which is a `UserError` and a `ValueError`.
    """
    months = seconds = 0
    at = 0
    while match := _PART.match(text, at):
        unit = _unit(match[2], text)
        months += int(match[1]) * MONTHS.get(unit, 0)
        seconds += int(match[1]) * SECONDS.get(unit, 0)
        at = match.end()
    if at == 0 or text[at:].strip():
        raise PeriodError(f"{text!r} is not a period. Write a whole number and a unit: '30 days', '2 weeks', '1 year'")
    if months > 12 * LONGEST_YEARS or seconds > 366 * DAY_S * LONGEST_YEARS:
        raise PeriodError(f"{text!r} is longer than {LONGEST_YEARS} years")
    return Period(months=months, seconds=seconds)


def shift_months(moment: Moment, months: int) -> Moment:
    """``moment`` moved by calendar months; a day that the target month lacks becomes its last day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def _unit(word: str, text: str) -> str:
    unit = word.lower()
    unit = SHORT.get(unit, unit.removesuffix("s") if len(unit) > 1 else unit)
    unit = SHORT.get(unit, unit)
    if unit in MONTHS or unit in SECONDS:
        return unit
    if unit == "m":
        raise PeriodError(f"{text!r}: 'm' may mean minutes or months. Write 'min' or 'months'")
    raise PeriodError(f"{text!r}: unknown unit {word!r}. Known: {', '.join([*SECONDS, *MONTHS])}")


def _count(amount: int, unit: str) -> str:
    return f"{amount} {unit}{'' if amount == 1 else 's'}" if amount else ""
