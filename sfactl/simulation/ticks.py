"""When the runs of a simulation take place. Pure: it reads no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sfactl.api.errors import UserError
from sfactl.engine.periods import DAY_S, Period, parse_period

MOST = 20_000
"""More runs than this are a slip of the pen."""
MORNING = time(9)
"""When a run takes place whose day alone is said: at midnight every sending window would be shut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One run: its time (naive UTC). Of a recorded one also its plan, the commit it read, and when it was applied."""

    at: datetime
    done_at: datetime | None = None
    plan_id: str = ""
    seq: int | None = None


def every(period: str, start: datetime, end: datetime, zone: ZoneInfo, *, whole_day: bool) -> list[Tick]:
    """A run each ``period`` from ``start`` to ``end`` (naive UTC); of days at one hour of the ``zone``'s clock.

    With ``whole_day`` the start is a date, and runs of whole days take place in the morning. Raises `PeriodError`.
    """
    step = parse_period(period)
    if not step.months and not step.seconds:
        raise UserError(f"--every {period}: a period of no length", hint="Write for instance --every '1 day'")
    daily = step.seconds % DAY_S == 0
    local = start.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    if whole_day and daily:
        local = datetime.combine(local.date(), MORNING)
    found: list[Tick] = []
    for number in range(MOST + 1):
        part = Period(months=step.months * number, seconds=step.seconds * number)
        if daily:
            at = part.after(local).replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
        else:
            at = start + timedelta(seconds=part.seconds)
        if at > end:
            return found
        found.append(Tick(at=at))
    raise UserError(f"--every {period}: more than {MOST:,} runs", hint="Choose a longer period between runs.")


def limited(ticks: Sequence[Tick], start: datetime, end: datetime) -> list[Tick]:
    """The runs from ``start`` to ``end``, in the order of time."""
    return sorted((t for t in ticks if start <= t.at <= end), key=lambda t: (t.at, t.plan_id))
