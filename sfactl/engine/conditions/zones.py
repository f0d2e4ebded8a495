"""Days, weeks and months are those of one time zone, the workspace's, wherever the machine stands.

Times are stored in UTC. Months, quarters and years move the clock on the wall of the zone; seconds to weeks are fixed
lengths of time. A wall time that a change of clocks leaves out is read as if the clock had not changed yet; one that
comes twice means its first.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sfactl.engine.conditions.kinds import TEXT, TIME, Kind
from sfactl.engine.periods import Period

if TYPE_CHECKING:
    from sfactl.engine.conditions.plan import Plan

PLAIN = frozenset({"UTC", "Etc/UTC", "Zulu", "Etc/Zulu", "UCT", "Etc/UCT", "Universal"})
"""Zones in which nothing has to be converted."""


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def wall(at: datetime, zone: str) -> datetime:
    """What the clock of ``zone`` shows at a naive UTC time."""
    return at if zone in PLAIN else at.replace(tzinfo=UTC).astimezone(_zone(zone)).replace(tzinfo=None)


def instant(shown: datetime, zone: str) -> datetime:
    """The naive UTC time at which the clock of ``zone`` shows ``shown``."""
    if zone in PLAIN:
        return shown
    return shown.replace(tzinfo=_zone(zone), fold=0).astimezone(UTC).replace(tzinfo=None)


def day_of(at: datetime, zone: str) -> date:
    """The day of a naive UTC time."""
    return wall(at, zone).date()


def midnight(day: date, zone: str) -> datetime:
    """The first moment of a day as naive UTC time."""
    return instant(datetime.combine(day, time()), zone)


def before(period: Period, at: datetime, zone: str) -> datetime:
    """The naive UTC time that lies ``period`` before ``at``. Raises `PeriodError` where that leaves the calendar."""
    if period.months:
        at = instant(Period(months=period.months).before(wall(at, zone)), zone)
    return Period(seconds=period.seconds).before(at)


def after(period: Period, at: datetime, zone: str) -> datetime:
    """The naive UTC time that lies ``period`` after ``at``. Raises `PeriodError` where that leaves the calendar."""
    if period.months:
        at = instant(Period(months=period.months).after(wall(at, zone)), zone)
    return Period(seconds=period.seconds).after(at)


def wall_sql(sql: str, plan: Plan) -> str:
    """SQL of a time as SQL of what the clock of the zone shows."""
    if plan.settings.zone in PLAIN:
        return sql
    return f"timezone({plan.bind(plan.settings.zone, TEXT)}, timezone('UTC', {sql}))"


def instant_sql(sql: str, plan: Plan) -> str:
    """SQL of what the clock of the zone shows as SQL of the UTC time."""
    if plan.settings.zone in PLAIN:
        return sql
    return f"timezone('UTC', timezone({plan.bind(plan.settings.zone, TEXT)}, {sql}))"


def day_sql(sql: str, kind: Kind, plan: Plan) -> str:
    """SQL of a date or time as SQL of its day."""
    return f"cast({wall_sql(sql, plan)} as date)" if kind == TIME else sql
