"""How many messages are enough for one person, and when none may leave: caps, quiet hours and windows by time zone.

A cap of whole days or more goes back by the contact's own clock: seven days before Monday 09:00 is Monday 09:00 there,
also where the clock was changed between. Shorter ones are so many hours. It decides nothing about a single person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sfactl.campaigns.model import Campaign, Step, Window
from sfactl.campaigns.windows import opens_at, wakes_at
from sfactl.config.touch import Cap, Quiet, TouchSettings
from sfactl.engine.calendars import instant
from sfactl.engine.periods import DAY_S, Period

if TYPE_CHECKING:
    import pyarrow as pa

ANYWHERE = ""
"""Stands for the zone of people whom a plan does not look at: the workspace's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds back the messages of one campaign: its own caps and windows, and those of the workspace."""

    campaign: Campaign
    touch: TouchSettings
    time_zone: str

    @property
    def caps(self) -> tuple[Cap, ...]:
        """Every cap that counts; none for messages that people asked for."""
        if not self.campaign.marketing:
            return ()
        own = self.campaign.caps
        return (*((own.as_cap(),) if own else ()), *self.touch.caps)

    def caps_table(self, zones: Sequence[str], at: datetime) -> pa.Table:
        """One row per cap and zone: from when on messages count, how long that is, and what to say."""
        import pyarrow as pa

        rows = []
        for number, cap in enumerate(self.caps, 1):
            for zone in (ANYWHERE, *zones):
                since = back(cap.period, zone or self.time_zone, at)
                rows.append((number, zone, cap.channel, cap.messages, since, int((at - since).total_seconds()), cap))
        says = [f"capped ({cap})" for *_, cap in rows]
        return pa.table(
            {
                "cap_no": pa.array([r[0] for r in rows], pa.int64()),
                "zone": pa.array([r[1] for r in rows], pa.string()),
                "channel": pa.array([r[2] for r in rows], pa.string()),
                "messages": pa.array([r[3] for r in rows], pa.int64()),
                "since": pa.array([r[4] for r in rows], pa.timestamp("us")),
                "length_s": pa.array([r[5] for r in rows], pa.int64()),
                "is_final": pa.array([r[6].over == "skip" for r in rows], pa.bool_()),
                "says": pa.array(says, pa.string()),
            }
        )

    def counted_since(self, zones: Sequence[str], at: datetime) -> datetime:
        """Before this no message counts for any cap."""
        found = [back(c.period, z or self.time_zone, at) for c in self.caps for z in (ANYWHERE, *zones)]
        return min(found, default=at)

    def openings_table(self, zones: Sequence[str], at: datetime) -> pa.Table:
        """One row per step and zone in which something keeps messages back: until when, and what."""
        import pyarrow as pa

        rows = [row for step in self.campaign.steps for row in self._openings(step, zones, at)]
        names, of, opens, why = zip(*rows, strict=True) if rows else ((), (), (), ())
        return pa.table(
            {
                "step": pa.array(names, pa.string()),
                "zone": pa.array(of, pa.string()),
                "opens_at": pa.array(opens, pa.timestamp("us")),
                "why": pa.array(why, pa.string()),
            }
        )

    def _openings(self, step: Step, zones: Sequence[str], at: datetime) -> Iterator[tuple[str, str, datetime, str]]:
        window = step.window or (self.campaign.window if step.action == "send" else None)
        quiet = self.touch.quiet if self._is_quiet_for(step) else None
        if window is None and quiet is None:
            return
        for zone in zones:
            opens = self._opens(window, zone, at)
            found = self._both(window, quiet, zone, at)
            if found > at:
                yield step.name, zone, found, "outside window" if opens > at else "quiet hours"

    def _both(self, window: Window | None, quiet: Quiet | None, zone: str, at: datetime) -> datetime:
        """The first instant at which the window is open and it is not quiet; as far as a week is looked at."""
        found = at
        for _ in range(16):
            opens = self._opens(window, zone, found)
            wakes = wakes_at(quiet, self._zone(quiet.tz, zone), opens) if quiet else opens
            if wakes == found:
                break
            found = wakes
        return found

    def _opens(self, window: Window | None, zone: str, at: datetime) -> datetime:
        return at if window is None else opens_at(window, self._zone(window.tz, zone), at)

    def _zone(self, said: str, contact: str) -> str:
        return {"contact": contact, "workspace": self.time_zone}.get(said, said)

    def _is_quiet_for(self, step: Step) -> bool:
        quiet = self.touch.quiet
        if not quiet.is_set or not self.campaign.marketing or step.action != "send":
            return False
        return not quiet.channels or (step.channel or "email") in quiet.channels


def ends_at(campaign: Campaign, time_zone: str) -> datetime | None:
    """When the campaign ends, naive UTC; a time without a zone is one of ``time_zone``."""
    at = campaign.expires_at
    if at is None:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(time_zone))).astimezone(UTC).replace(tzinfo=None)


def back(period: Period, zone: str, at: datetime) -> datetime:
    """The moment ``period`` before ``at`` (naive UTC): of whole days by the clock of ``zone``, else so much time."""
    if period.seconds % DAY_S:
        return period.before(at)
    tz = ZoneInfo(zone)
    shown = period.before(at.replace(tzinfo=UTC).astimezone(tz).replace(tzinfo=None))
    seconds = shown.hour * 3600 + shown.minute * 60 + shown.second
    return instant(shown.date(), seconds, tz)
