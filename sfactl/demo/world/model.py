"""Say how large a made-up world is and when it happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

REPEATED = 0.015
"""Share of the lines of a lead file that tell of a person who is in it already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A world to be made: the same values give the same bytes.

    ``leads`` counts lines of the lead file, repeats included; ``events`` is exact. The world's last day is the one
    before ``closes_on``.
    """

    leads: int = 2_000
    events: int = 40_000
    seed: int = 1
    closes_on: date = date(2026, 11, 1)
    days: int = 365

    def __post_init__(self) -> None:
        if self.leads < 10 or self.events < 0 or self.days < 30:
            raise ValueError("a world has 10 leads and 30 days at least")

    @property
    def people(self) -> int:
        """How many different persons there are."""
        return self.leads - int(self.leads * REPEATED)

    @property
    def companies(self) -> int:
        """How many companies they work for."""
        return max(5, self.people * 2 // 5)

    @property
    def closes_at(self) -> datetime:
        """The instant at which the world ends."""
        return datetime.combine(self.closes_on, time())

    @property
    def opens_at(self) -> datetime:
        """The instant at which the first person can arrive."""
        return self.closes_at - timedelta(days=self.days)
