"""Periods a little longer and a little shorter. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sfactl.engine.periods import SECONDS, Period


def nearby(period: Period, *, reached: bool = False) -> Iterator[tuple[Period, Period]]:
    """The period a little longer and a little shorter, each with the age at which it differs from ``period``.

    A window still holds what is exactly as old as it is long, so that the longer of two tells them apart; something
    that is ``reached`` after a time (a wait) is told by the shorter. Months and years move by a month, other periods by
    the largest unit of which they are more than one: a week is seven days, a day is twenty-four hours.
    """
    if period.months and not period.seconds:
        found = [Period(months=n) for n in (period.months + 1, period.months - 1) if n > 0]
    else:
        units = sorted((n for name, n in SECONDS.items() if name != "week"), reverse=True)
        unit = next((n for n in units if period.seconds % n == 0 and period.seconds > n), 1)
        seconds = (period.seconds + unit, period.seconds - unit)
        found = [Period(months=period.months, seconds=n) for n in seconds if n > 0 or (n == 0 and period.months)]
    for moved in found:
        longer = (moved.months, moved.seconds) > (period.months, period.seconds)
        yield moved, moved if longer != reached else period
