"""What the reps slice hands out: reps, what a round of assignment gives each, who waits and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

MAX_WEIGHT = 1000
"""Shares of the rotation; small enough that the order of seats is exact in doubles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rep:
    """A person who sells. ``capacity`` None is no limit; ``countries`` empty is all of them."""

    rep_id: str
    name: str | None = None
    email: str | None = None
    team: str | None = None
    active: bool = True
    capacity: int | None = None
    weight: int = 1
    countries: tuple[str, ...] = ()
    time_zone: str | None = None
    since: datetime | None = None

    def serves(self, country: str | None) -> bool:
        """Whether a lead of this country may be given to the rep. A lead without a country goes to anybody."""
        return not self.countries or country is None or country in self.countries


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a rep stands before a round: open leads owned, and turns had in the present rotation."""

    rep: Rep
    open: int
    turns: int

    @property
    def free(self) -> int | None:
        """Leads that may still be given; None is no limit."""
        return None if self.rep.capacity is None else max(0, self.rep.capacity - self.open)

    @property
    def full(self) -> bool:
        """At capacity, or beyond it."""
        return self.free == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Who gets which lead: ``given`` (lead_id, rep_id, turn) and ``waiting`` (lead_id, reason), by lead id."""

    given: pa.Table
    waiting: pa.Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one rep gets in a round."""

    rep_id: str
    name: str | None
    weight: int
    open_before: int
    given: int
    open_after: int
    capacity: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many leads stay in the queue for one reason."""

    reason: str
    leads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A round, planned or done. ``plan_id`` is the hash of every lead with its owner-to-be."""

    plan_id: str
    strategy: str
    queue: int
    given: int
    waiting: int
    reps: tuple[Share, ...]
    reasons: tuple[Waiting, ...]
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """How one rep stands towards one lead. ``priority`` is the smaller the sooner; None where the rep cannot get it."""

    rep_id: str
    active: bool
    serves: bool
    open: int
    capacity: int | None
    turns: int
    weight: int
    priority: float | None
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerExplained:
    """Why a lead has its owner, or who would get it and why not the others."""

    lead_id: int
    name: str | None
    status: str
    owner: str | None
    assigned_at: datetime | None
    strategy: str | None
    reason: str
    chances: tuple[Chance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RepsChanged:
    """What came of adding, changing or importing reps."""

    rows: int
    new: int
    updated: int
    unchanged: int
    changes: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    commit: int | None = None
