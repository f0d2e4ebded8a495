"""Times as people read them: stored as naive UTC, shown by the clock of a zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def local(at: datetime | None, zone: str | ZoneInfo) -> str:
    """A time as people in ``zone`` read it; nothing for None."""
    return "" if at is None else f"{_there(at, zone):%Y-%m-%d %H:%M}"


def local_and_utc(at: datetime, zone: str | ZoneInfo) -> str:
    """When something is to happen: by the clock of ``zone``, and in UTC where that is another time."""
    there = _there(at, zone)
    if not there.utcoffset():
        return f"{there:%Y-%m-%d %H:%M}"
    day = "" if there.date() == at.date() else f"{at:%Y-%m-%d} "
    return f"{there:%Y-%m-%d %H:%M} ({day}{at:%H:%M} UTC)"


def _there(at: datetime, zone: str | ZoneInfo) -> datetime:
    return at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
