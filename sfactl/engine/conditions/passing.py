"""What passing time alone changes: the rows that came into a window, or fell out of it, between two moments."""

from __future__ import annotations

from datetime import date, datetime

from sfactl.engine.conditions.model import Window


def moved(window: Window, mark: str, then: datetime, now: datetime) -> tuple[str, dict[str, object]]:
    """The rows that ``window`` took in or let go between ``then`` and ``now``: SQL over its dataset, and its bounds.

    ``mark`` keeps the names of the bounds apart where several windows share a statement. Raises `PeriodError` where
    the window leaves the calendar.
    """
    last: date
    first: date
    last, first = (now.date(), then.date()) if window.is_date else (now, then)
    column = f'"{window.column}"'
    bounds: dict[str, object] = {f"n{mark}": last, f"t{mark}": first}
    sql = f"({column} > $t{mark} and {column} <= $n{mark})"
    if window.period is not None:
        bounds |= {f"x{mark}": window.period.before(first), f"y{mark}": window.period.before(last)}
        sql += f" or ({column} >= $x{mark} and {column} < $y{mark})"
    if window.only is None:
        return f"({sql})", bounds
    name, values = window.only
    bounds |= {f"o{mark}_{place}": value for place, value in enumerate(values)}
    asked = " or ".join(f'"{name}" = $o{mark}_{place}' for place in range(len(values)))
    return f"(({sql}) and ({asked}))", bounds
