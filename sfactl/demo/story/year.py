"""Run a year of the made-up seller through the use cases of every slice, and tell what happened.

The story decides only what the people of the world decide: whom a rep could talk to, who wants a quote, who says yes,
who pays. What follows from it is sfactl's own doing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sfactl.campaigns import usecases as campaigns
from sfactl.demo.story import accountant, desk
from sfactl.demo.story.fates import Fate, fates
from sfactl.demo.world import Tables, World, made
from sfactl.insight import usecases as insight
from sfactl.leads import conversion_usecases as conversion
from sfactl.leads import lifecycle_usecases as lifecycle
from sfactl.leads import usecases as leads
from sfactl.opportunities import usecases as opportunities
from sfactl.orders import usecases as orders
from sfactl.quotes import usecases as quotes
from sfactl.reps import usecases as reps
from sfactl.scoring import usecases as scoring
from sfactl.segments import usecases as segments
from sfactl.session import FixedClock, Session

ROUNDS = 4
"""How often a year the office catches up: imports, scores, calls, converts."""

CAMPAIGN = "spring-webinar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a story came to."""

    workspace: str
    report: str
    seed: int
    counts: dict[str, int]
    lines: tuple[str, ...]


@dataclass(slots=True)
class Diary:
    """What has happened so far, counted."""

    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, **counts: int) -> None:
        """Count what happened."""
        self.counts.update(counts)
