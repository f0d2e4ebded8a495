"""What is known about writing to one person. Nothing here reads or writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What the person said last about marketing: on a topic, or (empty) on all."""

    topic: str
    kind: str
    at: datetime
    campaign: str
    step: str
    content: str
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """An address that nobody may write to, with the event that is the reason where there is one."""

    address: str
    scope: str
    reason: str
    at: datetime
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
