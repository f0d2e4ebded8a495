"""Decide in which order a log writes year, month and day. Pure: it is given counts, and refuses where they disagree.

A date such as 2012-03-04 parses in two orders, so that a wrong reading is silent. What tells them apart is that days
go beyond 12, that the rows of a case follow each other in time, and that cases do not last longer than they did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sfactl.api.errors import DataError

ORDERS: Mapping[str, tuple[int, int, int]] = {"ymd": (1, 2, 3), "ydm": (1, 3, 2), "dmy": (3, 2, 1), "mdy": (3, 1, 2)}
"""The orders, and at which place of a written date year, month and day stand."""

SWAPPED = "swapped"
"""Year first; the day in the middle where both numbers could be months, else the month: what spreadsheets leave."""

WORDS: Mapping[str, str] = {
    "ymd": "year-month-day",
    "ydm": "year-day-month",
    "dmy": "day-month-year",
    "mdy": "month-day-year",
    SWAPPED: "year-day-month where the day is 12 or less, else year-month-day",
}
FEWEST_DAYS = 10
"""So many different dates without one day after the 12th are no accident: 1 in 10,000."""
FEWEST = 3
MUCH = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one order fits: dates it cannot read, rows of a case that would go back in time, and the days that cases
    would last on the average."""

    order: str
    unread: int
    backwards: int
    span_days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """The dates of a column that is written with the year first, or last: how each order fits, how many different
    dates there are, whether some number beyond 12 settles the order, and a sample."""

    readings: Sequence[Reading]
    different: int
    beyond_twelve: bool
    sample: str


def order_of(dates: Dates, *, where: str) -> str:
    """The one order that fits. Raises `DataError` with the evidence where the usual one does not, or two do."""
    by_order = {reading.order: reading for reading in dates.readings}
    if "ymd" in by_order:
        return _year_first(by_order, dates, where)
    dmy, mdy = by_order["dmy"], by_order["mdy"]
    if dmy.unread != mdy.unread:
        return "dmy" if dmy.unread < mdy.unread else "mdy"
    better = min((dmy, mdy), key=lambda r: (r.backwards, r.span_days))
    raise DataError(
        f"{where}: {dates.sample!r} may be day-month-year or month-day-year, and no row settles it",
        hint=f"Say --dates dmy or --dates mdy. {_said(better)}",
    )


def _year_first(by_order: Mapping[str, Reading], dates: Dates, where: str) -> str:
    usual = by_order["ymd"]
    other = by_order["ydm"]
    if other.unread < usual.unread:
        raise DataError(
            f"{where}: {usual.unread:,} dates are none when read as year-month-day, {other.unread:,} when read as"
            f" year-day-month, for instance {dates.sample!r}",
            hint="Say --dates ydm if the day stands before the month.",
        )
    rivals = [r for name, r in by_order.items() if name != "ymd" and r.unread <= usual.unread]
    better = [r for r in rivals if _clearly_better(r, usual)]
    if better:
        best = min(better, key=lambda r: (r.backwards, r.span_days))
        raise DataError(
            f"{where}: read as year-month-day, {usual.backwards:,} rows lie before the row above in their case and"
            f" cases last {usual.span_days:,.2f} days on the average; {_said(best)}",
            hint=f"Say --dates {best.order} if that is right, or --dates ymd to take the dates as they look.",
        )
    if not dates.beyond_twelve and dates.different >= FEWEST_DAYS and other.unread == usual.unread:
        raise DataError(
            f"{where}: none of {dates.different:,} different dates has a day after the 12th,"
            f" for instance {dates.sample!r}: the last number may be the month",
            hint="Say --dates ydm or --dates ymd.",
        )
    return "ymd"


def _clearly_better(rival: Reading, usual: Reading) -> bool:
    if usual.backwards - rival.backwards >= FEWEST and rival.backwards <= usual.backwards * MUCH:
        return True
    return rival.backwards <= usual.backwards and rival.span_days < usual.span_days * MUCH


def _said(reading: Reading) -> str:
    back = f"{reading.backwards:,} rows lie before the row above"
    return f"read as {WORDS[reading.order]}, {back} and cases last {reading.span_days:,.2f} days"
