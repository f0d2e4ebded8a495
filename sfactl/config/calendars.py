"""Read calendars/NAME.toml: working hours by weekday, single days, holidays by country. Refuses a week without work."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sfactl.config.objects import read_folder
from sfactl.engine.calendars import Calendar, Hours, public_holidays

FOLDER = "calendars"


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """The periods of each weekday as ``HH:MM-HH:MM``; a day that is not there is closed."""

    monday: tuple[str, ...] = ()
    tuesday: tuple[str, ...] = ()
    wednesday: tuple[str, ...] = ()
    thursday: tuple[str, ...] = ()
    friday: tuple[str, ...] = ()
    saturday: tuple[str, ...] = ()
    sunday: tuple[str, ...] = ()

    def parsed(self) -> tuple[tuple[Hours, ...], ...]:
        """Monday to Sunday."""
        return tuple(day_hours(getattr(self, f.name), f"hours.{f.name}") for f in fields(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarFile:
    """One calendar.

    Without ``time_zone`` its hours are local: they hold in the zone of whoever uses it. ``country`` (and
    ``subdivision``) closes public holidays. ``make_up`` are the periods of a weekend day that the country declares a
    working day; by default those of the first weekday with any. ``days`` overrides single days.
    """

    name: str
    hours: Week
    summary: str = ""
    time_zone: str = ""
    country: str = ""
    subdivision: str = ""
    make_up: tuple[str, ...] | None = None
    days: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be a calendar."""
        if not any(self.hours.parsed()):
            raise ValueError("hours: no weekday has any working time")
        if self.subdivision and not self.country:
            raise ValueError(f"subdivision: {self.subdivision!r} needs a country")
        self.calendar(ZoneInfo("UTC"))

    def calendar(self, local: ZoneInfo) -> Calendar:
        """The calendar, in zone ``local`` unless the file says one."""
        week = self.hours.parsed()
        if self.country:
            public_holidays(self.country, self.subdivision)
        made_up = next(hours for hours in week if hours)
        return Calendar(
            zone=_zone(self.time_zone) if self.time_zone else local,
            week=week,
            days={_day(day): day_hours(texts, f"days.{day}") for day, texts in self.days.items()},
            country=self.country,
            subdivision=self.subdivision,
            make_up=made_up if self.make_up is None else day_hours(self.make_up, "make_up"),
        )


def read_calendars(workspace: Path) -> dict[str, CalendarFile]:
    """All calendars of a workspace by name. Raises `ConfigError` naming file and key."""
    return read_folder(CalendarFile, workspace / FOLDER)


def day_hours(texts: tuple[str, ...], where: str) -> tuple[Hours, ...]:
    """The periods of a day in order. Raises `ValueError` naming ``where`` for one that cannot be, or an overlap."""
    found = sorted(_hours(text, where) for text in texts)
    for earlier, later in pairwise(found):
        if later.start_s < earlier.end_s:
            raise ValueError(f"{where}: {earlier} and {later} overlap")
    return tuple(found)


def _hours(text: str, where: str) -> Hours:
    match = re.fullmatch(r"\s*(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})\s*", text)
    numbers = [int(n) for n in match.groups()] if match else [0, 99, 0, 99]
    if numbers[1] > 59 or numbers[3] > 59 or numbers[0] > 23 or numbers[2] * 60 + numbers[3] > 24 * 60:
        raise ValueError(f"{where}: {text!r} is not a period of a day, for instance 09:00-12:30")
    start, end = (60 * (60 * numbers[i] + numbers[i + 1]) for i in (0, 2))
    if end <= start:
        split = f"A night is two periods: {text.split('-')[0].strip()}-24:00, and 00:00-… on the next day."
        raise ValueError(f"{where}: {text!r} ends before it begins. {split}")
    return Hours(start_s=start, end_s=end)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"days: {text!r} is not a day, for instance 2026-12-24") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"time_zone: {name!r} is not an IANA time zone, for instance Asia/Taipei") from None
