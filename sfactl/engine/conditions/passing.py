"""What passing time alone changes: the rows that came into a window, or fell out of it, between two moments."""

from __future__ import annotations

from datetime import date, datetime

from sfactl.engine.conditions.model import Window


def moved(window: Window, number: int, then: datetime, now: datetime) -> tuple[str, dict[str, date]]:
    """The rows that ``window`` took in or let go between ``then`` and ``now``: SQL over its dataset, and its bounds.

    ``number`` keeps the names of the bounds apart where several windows share a statement. Raises `PeriodError` where
    the window leaves the calendar.
    """
    last, first = (now.date(), then.date()) if window.is_date else (now, then)
    column = f'"{window.column}"'
    bounds: dict[str, date] = {f"n{number}": last, f"t{number}": first}
    sql = f"({column} > $t{number} and {column} <= $n{number})"
    if window.period is not None:
        bounds |= {f"x{number}": window.period.before(first), f"y{number}": window.period.before(last)}
        sql += f" or ({column} >= $x{number} and {column} < $y{number})"
    return f"({sql})", bounds
