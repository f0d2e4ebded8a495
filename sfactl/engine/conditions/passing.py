"""What passing time alone changes: the rows that came into a window, or fell out of it, between two moments."""

from __future__ import annotations

from datetime import date, datetime

from sfactl.engine.conditions import zones
from sfactl.engine.conditions.model import Window


def moved(window: Window, number: int, then: datetime, now: datetime) -> tuple[str, dict[str, date]]:
    """The rows that ``window`` took in or let go between ``then`` and ``now``: SQL over its dataset, and its bounds.

    ``number`` keeps the names of the bounds apart where several windows share a statement. Raises `PeriodError` where
    the window leaves the calendar.
    """
    last: date = zones.day_of(now, window.zone) if window.is_date else now
    first: date = zones.day_of(then, window.zone) if window.is_date else then
    column = f'"{window.column}"'
    bounds: dict[str, date] = {f"n{number}": last, f"t{number}": first}
    sql = f"({column} > $t{number} and {column} <= $n{number})"
    if window.period is not None:
        # A clock that is turned back can move a window's start back: the earlier of both comes first.
        low, high = sorted((start(window, then), start(window, now)))
        bounds |= {f"x{number}": low, f"y{number}": high}
        sql += f" or ({column} >= $x{number} and {column} < $y{number})"
    return f"({sql})", bounds


def start(window: Window, at: datetime) -> date:
    """The first moment, or day, of ``window`` at a time. Raises `PeriodError` where it leaves the calendar."""
    assert window.period is not None
    if window.is_date:
        return window.period.before(zones.day_of(at, window.zone))
    return zones.before(window.period, at, window.zone)
