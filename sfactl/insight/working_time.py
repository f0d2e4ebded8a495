"""When people work, for reports: a rep's calendar without absences, in days of a full-time rep. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sfactl.api.errors import UserError
from sfactl.config.calendars import CalendarFile
from sfactl.engine.calendars import DAY_S, Calendar, Hours, Interval, instant

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkDay:
    """The part of a full day that somebody worked; ``away`` is the part they would have without their absences."""

    rep: str
    day: date
    worked: float
    away: float


def weekdays(zone: ZoneInfo) -> Calendar:
    """Monday to Friday, whole days: what holds where nobody wrote a calendar."""
    whole = (Hours(start_s=0, end_s=DAY_S),)
    return Calendar(zone=zone, week=(whole,) * 5 + ((),) * 2)


def chosen_calendar(files: Mapping[str, CalendarFile], name: str, zone: ZoneInfo) -> Calendar:
    """The calendar ``name``, or the only one there is. Raises `UserError` where it must be named."""
    if name:
        if name not in files:
            raise UserError(
                f"--calendar: there is no calendar {name!r}",
                hint=f"Calendars: {', '.join(files) or 'none; write calendars/NAME.toml'}",
            )
        return files[name].calendar(zone)
    if len(files) == 1:
        return next(iter(files.values())).calendar(zone)
    if files:
        raise UserError(f"Which working time counts? Say --calendar {' or --calendar '.join(files)}")
    raise UserError("there is no calendar of working time", hint="Write one: calendars/NAME.toml")


def full_day_s(calendar: Calendar) -> int:
    """The longest normal day of a calendar, in seconds."""
    return max(sum(h.end_s - h.start_s for h in hours) for hours in calendar.week)


def work_days(
    rep: str, calendar: Calendar, gone: Sequence[Interval], *, since: date, until: date, full_s: int
) -> Iterator[WorkDay]:
    """Each day from ``since`` to ``until`` on which ``rep`` would have worked, in parts of ``full_s``."""
    present = calendar.without(gone)
    day = since
    while day <= until:
        begin, end = instant(day, 0, calendar.zone), instant(day + DAY, 0, calendar.zone)
        planned = calendar.between(begin, end).total_seconds()
        if planned:
            worked = present.between(begin, end).total_seconds()
            yield WorkDay(rep=rep, day=day, worked=worked / full_s, away=(planned - worked) / full_s)
        day += DAY


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The day of a moment (naive UTC) in ``zone``."""
    return at.replace(tzinfo=UTC).astimezone(zone).date()
