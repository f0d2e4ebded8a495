"""What passing time alone changes: the rows that came into a window, or fell out of it, between two moments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sfactl.engine.conditions import zones
from sfactl.engine.conditions.model import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The rows that a window took in or let go: ``span`` tells them by time alone, ``only`` by what else is asked.

    Both are SQL over the window's dataset; ``bounds`` are their parameters. ``only`` is empty where time is all.
    """

    span: str
    only: str
    bounds: dict[str, object]

    @property
    def sql(self) -> str:
        """Both together."""
        return f"(({self.span}) and ({self.only}))" if self.only else f"({self.span})"


def moved(window: Window, mark: str, then: datetime, now: datetime) -> Passed:
    """The rows that ``window`` took in or let go between ``then`` and ``now``.

    ``mark`` keeps the names of the bounds apart where several windows share a statement. Raises `PeriodError` where
    the window leaves the calendar.
    """
    last: date = zones.day_of(now, window.zone) if window.is_date else now
    first: date = zones.day_of(then, window.zone) if window.is_date else then
    column = f'"{window.column}"'
    bounds: dict[str, object] = {f"n{mark}": last, f"t{mark}": first}
    span = f"({column} > $t{mark} and {column} <= $n{mark})"
    if window.period is not None:
        # A clock that is turned back can move a window's start back: the earlier of both comes first.
        low, high = sorted((start(window, then), start(window, now)))
        bounds |= {f"x{mark}": low, f"y{mark}": high}
        span += f" or ({column} >= $x{mark} and {column} < $y{mark})"
    if window.only is None:
        return Passed(span=span, only="", bounds=bounds)
    name, values = window.only
    bounds |= {f"o{mark}_{place}": value for place, value in enumerate(values)}
    asked = " or ".join(f'"{name}" = $o{mark}_{place}' for place in range(len(values)))
    return Passed(span=span, only=asked, bounds=bounds)


def start(window: Window, at: datetime) -> date:
    """The first moment, or day, of ``window`` at a time. Raises `PeriodError` where it leaves the calendar."""
    assert window.period is not None
    if window.is_date:
        return window.period.before(zones.day_of(at, window.zone))
    return zones.before(window.period, at, window.zone)
