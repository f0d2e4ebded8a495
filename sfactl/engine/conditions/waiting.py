"""When passing time alone makes a condition true: every moment at which a row enters or leaves a window is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sfactl.engine.conditions import zones
from sfactl.engine.conditions.inquiry import Inquiry
from sfactl.engine.conditions.model import Window
from sfactl.engine.conditions.passing import start
from sfactl.engine.conditions.trial import asked, copied
from sfactl.engine.periods import PeriodError

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 60
"""Moments that are tried, the earliest first: a lead with more rows in its windows is no case for waiting."""

_LEAST = timedelta(microseconds=1)


def first_moment(
    inquire_at: Callable[[datetime], Inquiry], now: datetime, tables: Mapping[str, pa.Table], key: object
) -> datetime | None:
    """The first moment after ``now`` at which the entity ``key`` meets the condition if none of its rows changes.

    ``inquire_at`` compiles the condition for a moment. None where no moment was found, and where time may move more
    than rows tell (``today()`` …). Each moment was asked on a copy of the rows: an answer is known to be right.
    """
    windows = inquire_at(now).windows
    if windows is None:
        return None
    ahead = sorted({at for at in turning_points(windows, tables, now) if at > now})[:MOST]
    with copied(tables) as connection:
        return next((at for at in ahead if asked(connection, inquire_at(at), key)), None)


def turning_points(windows: Iterable[Window], tables: Mapping[str, pa.Table], now: datetime) -> Iterator[datetime]:
    """The moments from ``now`` on at which a row comes into one of ``windows`` or falls out of it."""
    for window in windows:
        table = tables.get(window.dataset)
        if table is None:
            continue
        for value in table.column(window.column).unique().to_pylist():
            if value is not None:
                yield from _turns(window, value, now)


def _turns(window: Window, value: date, now: datetime) -> Iterator[datetime]:
    shown = zones.midnight(value, window.zone) if window.is_date or not isinstance(value, datetime) else value
    if shown > now:
        yield shown
    if window.period is None:
        return
    try:
        yield _leaving(window, value, shown)
    except (PeriodError, OverflowError):
        return  # a window that leaves the calendar lets nothing go


def _leaving(window: Window, value: date, shown: datetime) -> datetime:
    """The first moment at which ``window`` begins after ``value``."""
    assert window.period is not None
    low = shown
    high = shown + timedelta(days=31 * window.period.months + 4, seconds=window.period.seconds)
    while high - low > _LEAST:
        middle = low + (high - low) // 2
        if start(window, middle) > value:
            high = middle
        else:
            low = middle
    return high
