"""What qualification answers: how many go on, what holds the others back, and why it is so for one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sfactl.leads.qualification import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """How many leads stay behind for want of one thing."""

    item: str
    leads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step of qualification came to: ``qualified`` go on, ``staying`` lack the items listed.

    ``paths`` counts the qualified by path, where there are several.
    """

    to: Target
    qualified: int
    staying: int
    missing: tuple[Missing, ...]
    paths: Mapping[str, int]
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """What a run of qualification did, or would do."""

    steps: tuple[Step, ...]
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One requirement as it stands for one lead; ``change`` is the smallest one that would make it hold."""

    name: str
    holds: bool
    value: str
    change: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPath:
    """A path that the lead did not go by, and what it lacks there."""

    name: str
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why one lead qualifies or not; ``cause`` is the event that would be recorded, ``to`` None at the end.

    ``path`` is the way it goes, or the one of which it lacks least; ``others`` are the other ways that are for it.
    """

    lead_id: int
    name: str | None
    status: str
    to: Target | None
    qualifies: bool
    terms: tuple[Term, ...]
    path: str | None = None
    others: tuple[OtherPath, ...] = ()
    cause: str | None = None
    reason: str | None = None
    since: datetime | None = None
    why_here: str | None = None
