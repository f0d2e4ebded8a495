"""Measure first responses in working time. Pure: rows in, the same rows with their due time and state out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sfactl.engine.calendars import Calendar, CalendarError, micros, moment

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Ints = npt.NDArray[np.int64]

DUE, MET, LATE, BREACHED = "due", "met", "late", "breached"
"""Time is left; answered in time; answered too late; not answered and the time is over."""

AHEAD = timedelta(days=30)


def measured(rows: pa.Table, calendars: Mapping[str, Calendar], length: timedelta, now: datetime) -> pa.Table:
    """``rows`` (owner, assigned_at, responded_at …) with due_at, state, and the time taken so far.

    ``calendars`` holds the working time of every owner. ``took_s`` is working time and ``wall_s`` time of the clock on
    the wall, both until the response or ``now``. A response at the very end of the time is in time.
    """
    import numpy as np
    import pyarrow as pa

    begun = _stamps(rows["assigned_at"], now)
    answered = _stamps(rows["responded_at"], now)
    open_ = np.asarray(rows["responded_at"].is_null())
    until = np.where(open_, micros(now), answered)
    owners = rows["owner"].combine_chunks().dictionary_encode()
    codes = np.asarray(owners.indices, dtype=np.int64)
    due, took = np.full(len(begun), -1, dtype=np.int64), np.zeros(len(begun), dtype=np.int64)
    for code, owner in enumerate(owners.dictionary.to_pylist()):
        mine = codes == code
        due[mine], took[mine] = _of_one(calendars[owner], begun[mine], until[mine], length)
    late = (due >= 0) & (until > due)
    states = np.where(open_, np.where(late, BREACHED, DUE), np.where(late, LATE, MET))
    made = {
        "due_at": pa.array(due, pa.int64(), mask=due < 0).cast(pa.timestamp("us")),
        "state": pa.array(states.tolist(), pa.string()),
        "took_s": pa.array(took // 1_000_000),
        "limit_s": pa.array(np.full(len(begun), int(length.total_seconds()))),
        "wall_s": pa.array((until - begun) // 1_000_000),
    }
    for name, column in made.items():
        rows = rows.append_column(name, column)
    return rows


def _of_one(calendar: Calendar, begun: Ints, until: Ints, length: timedelta) -> tuple[Ints, Ints]:
    """When each was due and how much working time it took; -1 where it is never due, for want of working time."""
    first, last = moment(int(begun.min())), moment(int(max(begun.max(), until.max())))
    line = calendar.timeline(first, last + AHEAD)
    due = line.after(begun, length // timedelta(microseconds=1))
    for row in (due < 0).nonzero()[0].tolist():  # so long that it lies beyond what was looked at
        try:
            due[row] = micros(calendar.add(moment(int(begun[row])), length))
        except CalendarError:
            continue
    return due, line.passed(until) - line.passed(begun)


def _stamps(column: pa.ChunkedArray, fill: datetime) -> Ints:
    import numpy as np
    import pyarrow as pa

    filled = column.cast(pa.timestamp("us")).fill_null(pa.scalar(fill, pa.timestamp("us")))
    return np.asarray(filled.cast(pa.int64()), dtype=np.int64)
