"""Decide in which time zone a contact lives and when a sending window is open there.

A local time that does not exist (clocks go forward) opens at the first instant after the gap; of one that exists
twice the first counts. A contact without a zone lives in the first zone that the IANA table lists for the country
(the most populous, where geography does not decide otherwise), else in the workspace's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sfactl.campaigns.model import Window
from sfactl.config.touch import DAYS, Quiet
from sfactl.engine.calendars import instant


@lru_cache(maxsize=1)
def country_zones() -> Mapping[str, str]:
    """The first zone of each country (ISO 3166 alpha-2) in the IANA table."""
    table = (files("tzdata.zoneinfo") / "zone.tab").read_text(encoding="utf-8")
    zones: dict[str, str] = {}
    for line in table.splitlines():
        if not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            zones.setdefault(country, zone)
    return zones


@lru_cache(maxsize=4096)
def zone_of(time_zone: str | None, country: str | None, fallback: str) -> str:
    """Name of the zone a contact lives in."""
    if time_zone and known_zone(time_zone):
        return time_zone
    return country_zones().get((country or "").upper(), fallback)


@lru_cache(maxsize=1024)
def known_zone(name: str) -> bool:
    """Whether ``name`` is an IANA zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def opens_at(window: Window, zone: str, at: datetime) -> datetime:
    """The first instant not before ``at`` (UTC without a zone) at which ``window`` is open in ``zone``."""
    tz = ZoneInfo(zone)
    first = at.replace(tzinfo=UTC).astimezone(tz).date()
    for ahead in range(-1, 9):
        day = first + timedelta(days=ahead)
        if DAYS[day.weekday()] not in window.days:
            continue
        start, end = (_instant(day, minute, tz) for minute in window.minutes)
        if at < end and start < end:
            return max(at, start)
    raise AssertionError("a window that names a day opens within a week")


def wakes_at(quiet: Quiet, zone: str, at: datetime) -> datetime:
    """The first instant not before ``at`` (UTC without a zone) at which it is not quiet in ``zone``."""
    tz = ZoneInfo(zone)
    found = at
    for _ in range(2 * len(DAYS) + 2):
        until = max((end for start, end in _quiets(quiet, tz, found) if start <= found < end), default=found)
        if until == found:
            return found
        found = until
    raise AssertionError("quiet that leaves a day out ends within a week")


def _quiets(quiet: Quiet, tz: ZoneInfo, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The quiet times around ``at``: of each day its hours, which may end on the next, and the day itself."""
    today = at.replace(tzinfo=UTC).astimezone(tz).date()
    for ahead in (-1, 0, 1):
        day = today + timedelta(days=ahead)
        if DAYS[day.weekday()] in quiet.days:
            yield _instant(day, 0, tz), _instant(day + timedelta(days=1), 0, tz)
        if quiet.hours:
            start, end = quiet.minutes
            yield _instant(day, start, tz), _instant(day + timedelta(days=start > end), end, tz)


def _instant(day: date, minute: int, tz: ZoneInfo) -> datetime:
    """The first instant at which the clock shows this minute of the day, or a later one."""
    return instant(day, minute * 60, tz)
