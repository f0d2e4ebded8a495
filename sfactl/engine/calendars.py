"""Working time: which moments count, how much lies between two instants, and which instant is so much of it later.

Pure arithmetic on naive UTC instants; hours are wall times of a zone. A wall time means the first instant at which the
clock shows that time or a later one, so a night in which the clock is put forward is shorter, one in which it is put
back is longer, and periods that touch still touch. It reads no file: `sfactl.config.calendars` does.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sfactl.api.errors import UserError

if TYPE_CHECKING:
    import holidays
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

EPOCH = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
DAY_S = 86_400
LONGEST = timedelta(days=3660)
"""How far ahead working time is looked for."""

Interval = tuple[datetime, datetime]


class CalendarError(UserError, ValueError):
    """There is no working time where some is needed, or the calendar cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Hours:
    """A period of a day in seconds of its wall clock: from ``start_s`` until before ``end_s``."""

    start_s: int
    end_s: int

    def __post_init__(self) -> None:
        """Refuse a period that ends before it begins, or that leaves its day."""
        if not 0 <= self.start_s < DAY_S or not self.start_s < self.end_s <= DAY_S:
            raise CalendarError(f"{self} does not end after it begins, within one day")

    def __str__(self) -> str:
        return f"{_clock(self.start_s)}-{_clock(self.end_s)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When somebody works.

    ``week`` holds the periods of Monday to Sunday. ``days`` overrides single days (no periods: closed). Public holidays
    of ``country`` are closed; a weekend day that the country declares a working day has the periods ``make_up``.
    ``closed`` are stretches of time without work, such as absences or pauses; they may overlap.
    """

    zone: ZoneInfo
    week: tuple[tuple[Hours, ...], ...]
    days: Mapping[date, tuple[Hours, ...]] = field(default_factory=dict)
    country: str = ""
    subdivision: str = ""
    make_up: tuple[Hours, ...] = ()
    closed: tuple[Interval, ...] = ()

    def hours_of(self, day: date) -> tuple[Hours, ...]:
        """The periods of one day, before what is closed."""
        if day in self.days:
            return self.days[day]
        if self.country:
            public = public_holidays(self.country, self.subdivision)
            if day in public:
                return ()
            if self.make_up and _declared_working(public, day):
                return self.make_up
        return self.week[day.weekday()]

    def without(self, closed: Iterable[Interval]) -> Calendar:
        """The same calendar with further stretches closed."""
        return replace(self, closed=(*self.closed, *closed))

    def periods(self, since: datetime, until: datetime) -> list[Interval]:
        """The working time between two instants as disjoint stretches in order."""
        return list(self._from(since, until))

    def is_open(self, at: datetime) -> bool:
        """Whether the instant is working time."""
        return any(begin <= at < end for begin, end in self._from(at, at + DAY))

    def opens(self, at: datetime) -> datetime:
        """The first working instant at ``at`` or later. Raises `CalendarError` where none comes."""
        for begin, _ in self._from(at, at + LONGEST):
            return begin
        raise self._no_time(at)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The working time from ``start`` until ``end``; nothing where the end is not later."""
        return sum((e - b for b, e in self._from(start, end)), timedelta())

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """The first instant by which ``duration`` of working time has passed since ``start``.

        Raises `CalendarError` for a negative duration, or where there is not that much working time.
        """
        if duration < timedelta():
            raise CalendarError(f"{duration} is less than nothing")
        left = duration
        if not left:
            return start
        for begin, end in self._from(start, start + LONGEST):
            if end - begin >= left:
                return begin + left
            left -= end - begin
        raise self._no_time(start)

    def timeline(self, since: datetime, until: datetime) -> Timeline:
        """The working time between two instants, made ready for many questions."""
        import numpy as np

        found = self.periods(since, until)
        starts, ends = (np.array([micros(p[i]) for p in found], dtype=np.int64) for i in (0, 1))
        return Timeline(starts=starts, ends=ends, before=np.cumsum(ends - starts) - (ends - starts))

    def _from(self, since: datetime, until: datetime) -> Iterator[Interval]:
        """Stretches of working time, cut at ``since`` and ``until``."""
        gaps = merged(self.closed)
        for begin, end in _joined(self._raw(since, until)):
            for part in _less(max(begin, since), min(end, until), gaps):
                if part[0] < part[1]:
                    yield part

    def _raw(self, since: datetime, until: datetime) -> Iterator[Interval]:
        # A day's periods may lie a day off in UTC, and a zone may be 14 hours ahead.
        try:
            day, last = (since - DAY).date(), (until + DAY).date()
        except OverflowError:
            raise CalendarError(f"working time from {since} leaves the calendar") from None
        while day <= last:
            for hours in sorted(self.hours_of(day)):
                begin, end = (instant(day, s, self.zone) for s in (hours.start_s, hours.end_s))
                if end > since and begin < until:
                    yield begin, end
            day += DAY

    def _no_time(self, at: datetime) -> CalendarError:
        return CalendarError(f"there is not enough working time in the {LONGEST.days // 366} years after {at:%Y-%m-%d}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Working time as stretches in microseconds since 1970, with the working time before each."""

    starts: Ints
    ends: Ints
    before: Ints

    def passed(self, moments: Ints) -> Ints:
        """The working time before each moment, in microseconds."""
        import numpy as np

        if not len(self.starts):
            return np.zeros(len(moments), dtype=np.int64)
        place = np.searchsorted(self.starts, moments, side="right") - 1
        at = np.maximum(place, 0)
        within = np.clip(moments - self.starts[at], 0, self.ends[at] - self.starts[at])
        return np.where(place < 0, 0, self.before[at] + within)

    def after(self, moments: Ints, amount: int) -> Ints:
        """The first moment by which ``amount`` microseconds have passed since each; -1 beyond the end."""
        import numpy as np

        wanted = self.passed(moments) + amount
        total = self.before + (self.ends - self.starts)
        if amount == 0 or not len(total):
            return moments.copy() if amount == 0 else np.full(len(moments), -1, dtype=np.int64)
        place = np.searchsorted(total, wanted, side="left")
        at = np.minimum(place, len(total) - 1)
        return np.where(place >= len(total), -1, self.starts[at] + wanted - self.before[at])


def always(zone: ZoneInfo) -> Calendar:
    """Round the clock, every day."""
    return Calendar(zone=zone, week=((Hours(start_s=0, end_s=DAY_S),),) * 7)


def instant(day: date, second: int, zone: ZoneInfo) -> datetime:
    """The first instant (naive UTC) at which the clock of ``zone`` shows this second of the day or a later one."""
    wall = datetime.combine(day, time()) + timedelta(seconds=second)
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found.replace(tzinfo=None)
    # The clock jumped over this time: the jump itself is the instant. It lies between the two readings of the wall.
    early = wall.replace(tzinfo=zone, fold=1).astimezone(UTC).replace(tzinfo=None)
    low, high = sorted((early, found.replace(tzinfo=None)))
    before = _offset(low, zone)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return high


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.replace(tzinfo=UTC).astimezone(zone).utcoffset()


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def moment(microseconds: int) -> datetime:
    """The instant so many microseconds after 1970."""
    return EPOCH + microseconds * MICROSECOND


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same stretches of time without overlaps, in order."""
    return list(_joined(sorted(i for i in intervals if i[0] < i[1])))


def _joined(intervals: Iterable[Interval]) -> Iterator[Interval]:
    """Stretches in order of their beginning, with those that touch or overlap made one."""
    open_: Interval | None = None
    for begin, end in intervals:
        if open_ is None or begin > open_[1]:
            if open_ is not None:
                yield open_
            open_ = (begin, end)
        else:
            open_ = (open_[0], max(open_[1], end))
    if open_ is not None:
        yield open_


def _less(begin: datetime, end: datetime, gaps: Sequence[Interval]) -> Iterator[Interval]:
    """What is left of one stretch without the gaps."""
    for closed, opened in gaps:
        if opened <= begin:
            continue
        if closed >= end:
            break
        if closed > begin:
            yield begin, closed
        begin = max(begin, opened)
    if begin < end:
        yield begin, end


@lru_cache(maxsize=64)
def public_holidays(country: str, subdivision: str = "") -> holidays.HolidayBase:
    """The public holidays of a country (ISO 3166) and perhaps a part of it; years are added as they are asked for.

    Raises `CalendarError` with the nearest name for a country or part that the `holidays` library does not know.
    """
    import holidays  # late: only calendars with a country pay for it

    known = holidays.list_supported_countries()
    if country not in known:
        raise CalendarError(f"country: no holidays are known for {country!r}.{_near(country, known)}")
    if subdivision and subdivision not in known[country]:
        raise CalendarError(f"subdivision: {country} has no {subdivision!r}.{_near(subdivision, known[country])}")
    return holidays.country_holidays(country, subdiv=subdivision or None)


def _declared_working(public: holidays.HolidayBase, day: date) -> bool:
    # Days that make up for the new year may lie in December; they are known once the year they serve is.
    public.get(date(min(day.year + 1, date.max.year), 1, 1))
    return day in public.weekend_workdays


def _near(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(known), 1, cutoff=0.4)
    return f" Did you mean {found[0]!r}?" if found else ""


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}"
