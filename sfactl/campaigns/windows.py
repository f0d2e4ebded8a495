"""Decide in which time zone a contact lives and when a sending window is open there.

A local time that does not exist (clocks go forward) opens at the first instant after the gap; of one that exists
twice the first counts. A contact without a zone lives in the first zone that the IANA table lists for the country
(the most populous, where geography does not decide otherwise), else in the workspace's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sfactl.campaigns.model import Window
from sfactl.config.touch import DAYS


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


def _instant(day: date, minute: int, tz: ZoneInfo) -> datetime:
    """UTC instant of a local time; in a gap the first instant after it."""
    if minute == 24 * 60:
        day, minute = day + timedelta(days=1), 0
    local = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=tz)
    instant = local.astimezone(UTC)
    back = instant.astimezone(tz)
    if back.replace(tzinfo=None) != local.replace(tzinfo=None):
        # PEP 495: with fold=0 a local time in a gap lies as far behind the gap as it was inside it.
        instant = _gap_end(instant, tz)
    return instant.replace(tzinfo=None)


def _gap_end(instant: datetime, tz: ZoneInfo) -> datetime:
    after = instant.astimezone(tz).utcoffset()
    low, high = instant - timedelta(hours=26), instant
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (low, middle) if middle.astimezone(tz).utcoffset() == after else (middle, high)
    return high.replace(microsecond=0)
