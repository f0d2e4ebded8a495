"""When something is due: cron expressions and RRULEs of RFC 5545, on the wall clock of a zone.

A wall time that the clock jumps over comes once, right after the jump; one that the clock shows twice comes once, the
first time. Only cron jobs whose minute or hour begins with ``*`` follow elapsed time, as in Debian's cron. It reads no
clock and knows nothing of jobs.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sfactl.api.errors import UserError
from sfactl.engine.calendars import instant

if TYPE_CHECKING:
    from dateutil.rrule import rrule, rruleset

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
EXAMPLE = "Write cron as in 0 9 * * mon-fri, or RRULE:FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9;BYMINUTE=0"
DAY = timedelta(days=1)

# What a rule must say itself where no DTSTART says it.
_NEEDED = {
    "DAILY": (("BYHOUR",),),
    "WEEKLY": (("BYHOUR",), ("BYDAY",)),
    "MONTHLY": (("BYHOUR",), ("BYDAY", "BYMONTHDAY")),
    "YEARLY": (("BYHOUR",), ("BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO")),
    "HOURLY": (),
}


class ScheduleError(UserError, ValueError):
    """The text is not a schedule, or one that never comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A checked schedule: ``text`` as it was written, ``rule`` a cron expression or an RRULE with its DTSTART."""

    text: str
    rule: str

    @property
    def is_cron(self) -> bool:
        """Whether it is a cron expression."""
        return "FREQ=" not in self.rule

    def after(self, moment: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """The instants (naive UTC) at which it is due, those later than ``moment`` only, in order, each once."""
        last = moment
        for found in self._cron(moment, zone) if self.is_cron else self._recurring(moment, zone):
            if found > last:
                last = found
                yield found

    def between(self, after: datetime, until: datetime, zone: ZoneInfo, *, most: int) -> list[datetime]:
        """The instants later than ``after`` and not later than ``until``; the first ``most`` of them."""
        return list(islice(takewhile(lambda at: at <= until, self.after(after, zone)), most))

    def latest(self, after: datetime, until: datetime, zone: ZoneInfo) -> datetime | None:
        """The last instant that is later than ``after`` and not later than ``until``."""
        for days in (2, 60, 800):  # few steps, whether it comes by the minute or by the year
            since = max(after, until - days * DAY)
            found = deque(takewhile(lambda at: at <= until, self.after(since, zone)), maxlen=1)
            if found or since == after:
                return found[0] if found else None
        return max(self.between(after, until, zone, most=10_000), default=None)

    def _cron(self, moment: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        from cronsim import CronSim

        # A day earlier, because in a night that has an hour twice the wall clock goes back behind the moment.
        start = (moment - DAY).replace(tzinfo=UTC).astimezone(zone)
        for wall in CronSim(self.rule, start):
            yield wall.astimezone(UTC).replace(tzinfo=None)

    def _recurring(self, moment: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        start = (moment - DAY).replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
        # Without a DTSTART any first of January will do: the rule itself says all there is to say.
        begin = None if "DTSTART" in self.rule else datetime(start.year - 1, 1, 1)
        for wall in _rule(self.rule, begin).xafter(start):
            midnight = datetime.combine(wall.date(), time())
            yield instant(wall.date(), int((wall - midnight).total_seconds()), zone)


def parse_schedule(text: str) -> Schedule:
    """Read a cron expression of five fields, an alias such as ``@daily``, or an RRULE.

    An RRULE may have a DTSTART (a wall time) before it; it needs one for INTERVAL and COUNT. Raises `ScheduleError`,
    which is a `UserError` and a `ValueError`.
    """
    said = " ".join(text.split())
    if "FREQ=" in said.upper():
        return _checked(Schedule(text=text, rule=_recurrence(said.upper())), text)
    rule = ALIASES.get(said.lower(), said)
    if rule.startswith("@"):
        raise ScheduleError(f"{text!r} is not a schedule. Known: {', '.join(ALIASES)}")
    if len(rule.split()) != 5:
        raise ScheduleError(f"{text!r} is not a schedule: cron has five fields. {EXAMPLE}")
    return _checked(Schedule(text=text, rule=rule), text)


def _checked(schedule: Schedule, text: str) -> Schedule:
    """The schedule, once it was seen to be possible."""
    from cronsim import CronSimError

    try:
        # 29 February on a Sunday comes every 28 years at most, and so does whatever comes at all.
        found = next(schedule.after(datetime(2024, 1, 1), ZoneInfo("UTC")), None)
    except CronSimError as err:
        raise ScheduleError(f"{text!r} is not a schedule: {str(err).lower()}. {EXAMPLE}") from None
    except (ValueError, TypeError) as err:
        raise ScheduleError(f"{text!r} is not an RRULE: {err}") from None
    if found is None and "COUNT=" not in schedule.rule and "UNTIL=" not in schedule.rule:
        raise ScheduleError(f"{text!r} never comes: there is no such day")
    return schedule


def _recurrence(said: str) -> str:
    """The parts of an RRULE on lines of their own, checked for what would be left to chance."""
    parts = re.findall(r"(?:DTSTART|RRULE|EXDATE|RDATE)\S*", said) if ":" in said else [f"RRULE:{said}"]
    rules = [p for p in parts if p.startswith("RRULE:")]
    if len(rules) != 1 or " ".join(parts) != (said if ":" in said else f"RRULE:{said}"):
        raise ScheduleError(f"{said!r} is not a schedule. {EXAMPLE}")
    values = dict(p.partition("=")[::2] for p in rules[0].removeprefix("RRULE:").split(";"))
    freq = values.get("FREQ", "")
    if freq not in _NEEDED:
        raise ScheduleError(
            f"{said!r}: FREQ={freq}: write one of {', '.join(_NEEDED)}; for minutes use cron: */15 * * * *"
        )
    starts = [p for p in parts if p.startswith("DTSTART")]
    if any(not re.fullmatch(r"DTSTART:\d{8}T\d{6}", p) for p in starts):
        raise ScheduleError(f"{said!r}: write the start as a wall time of the workspace: DTSTART:20261123T090000")
    if not starts:
        unsaid = [k for k in ("INTERVAL", "COUNT") if k in values]
        unsaid += [" or ".join(either) for either in _NEEDED[freq] if not any(k in values for k in either)]
        if unsaid:
            more = "INTERVAL and COUNT need" if unsaid[0] in ("INTERVAL", "COUNT") else f"say {unsaid[0]}, or give"
            raise ScheduleError(f"{said!r}: {more} a start before it: DTSTART:20261123T090000 RRULE:…")
        missing = "".join(f";{k}=0" for k in ("BYMINUTE", "BYSECOND") if k not in values)
        parts = [p + missing if p in rules else p for p in parts]
    return "\n".join(parts)


def _rule(text: str, begin: datetime | None) -> rrule | rruleset:
    from dateutil.rrule import rrulestr

    # UNTIL is a wall time, as the start is; RFC 5545 writes it in UTC where the start has a zone.
    found: rrule | rruleset = rrulestr(re.sub(r"(UNTIL=\d{8}T\d{6})Z", r"\1", text), dtstart=begin)
    return found
