"""What is known about writing to one person. Nothing here reads or writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """An address, or the hash of one, that nobody may write to, and the event that is the reason, if any."""

    address: str
    scope: str
    reason: str
    at: datetime | None
    said: str
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that happened, or that plans decided ``times`` times, last at ``at``; ``source`` is its key."""

    at: datetime
    what: str
    campaign: str
    step: str
    outcome: str
    detail: str
    times: int
    source: str
