"""What the reps slice hands out: reps, what a round of assignment gives each, who waits and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Ints = npt.NDArray[np.int64]

MAX_WEIGHT = 1000
"""Shares of the rotation; small enough that the order of seats is exact in doubles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rep:
    """A person who sells.

    ``capacity`` (open leads) and ``daily_limit`` (leads a day) None are no limit; ``countries`` and ``territories``
    empty are all of them. ``calendar`` names the working hours.
    """

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
    skills: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    daily_limit: int | None = None
    calendar: str | None = None

    def serves(self, country: str | None) -> bool:
        """Whether a lead of this country may be given to the rep. A lead without a country goes to anybody."""
        return not self.countries or country is None or country in self.countries


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a rep stands before a round: open leads owned, turns had in the present rotation, leads given today.

    ``away_until`` is set while the rep is absent, ``at_work_from`` while outside working hours. ``protected`` of
    ``cap`` leads are held under the rules of the public pool.
    """

    rep: Rep
    open: int
    turns: int
    today: int = 0
    away_until: datetime | None = None
    at_work_from: datetime | None = None
    protected: int = 0
    cap: int | None = None

    @property
    def limits(self) -> Mapping[str, int]:
        """Leads that may still be given by each limit there is."""
        found = (
            ("at capacity", self.rep.capacity, self.open),
            ("at the daily limit", self.rep.daily_limit, self.today),
            ("at the holding cap", self.cap, self.protected),
        )
        return {name: max(0, limit - used) for name, limit, used in found if limit is not None}

    @property
    def free(self) -> int | None:
        """Leads that may still be given; None is no limit."""
        return min(self.limits.values(), default=None)

    @property
    def tightest(self) -> str:
        """The limit that is reached first; empty where there is none."""
        return min(self.limits, key=lambda name: self.limits[name], default="")

    @property
    def why_full(self) -> str:
        """Which limit is reached; empty where there is room."""
        if self.rep.capacity is not None and self.open >= self.rep.capacity:
            return f"at capacity ({self.open} of {self.rep.capacity})"
        if self.rep.daily_limit is not None and self.today >= self.rep.daily_limit:
            return f"had {self.today} of {self.rep.daily_limit} leads today"
        if self.cap is not None and self.protected >= self.cap:
            return f"protects {self.protected} of {self.cap} leads"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the rules see of a lead: its country, which conditions hold, who is tied to it, who may not have it.

    Leads of equal cases are alike to every rep.
    """

    country: str | None = None
    held: frozenset[str] = frozenset()
    bound: str | None = None
    bond: str | None = None
    barred: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Leads that look for an owner: their numbers, and for each the place of its case in ``cases``."""

    lead_ids: Ints
    case_of: Ints
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Who gets which lead, by lead id.

    ``given`` has lead_id, rep_id, rule, method, bond and turn (the place in the rep's turns or open leads);
    ``waiting`` has lead_id and reason.
    """

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
class RuleShare:
    """How many leads one rule gives out in a round."""

    rule: str
    leads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One lead for which two plans differ; None stands for nobody."""

    lead_id: int
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What changed between two plans: leads that are new in the plan, gone from it, or would go to somebody else."""

    plan_id: str
    planned_at: datetime
    new: int
    gone: int
    moved: int
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Realigned:
    """How many leads go from one rep to another because no rule would give them to the first now, and why."""

    before: str
    after: str
    why: str
    leads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A round, planned or done. ``plan_id`` is the hash of every lead with its owner-to-be, and of those who wait.

    With ``realign`` it is about leads whose owner no rule would give them now; those who wait stay where they are.
    """

    plan_id: str
    strategy: str
    queue: int
    given: int
    waiting: int
    reps: tuple[Share, ...]
    reasons: tuple[Waiting, ...]
    rules: tuple[RuleShare, ...] = ()
    since: Difference | None = None
    applied_at: datetime | None = None
    dry_run: bool = False
    commit: int | None = None
    realign: bool = False
    moves: tuple[Realigned, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """How one rep stands towards one lead.

    ``rule`` is the first rule by which the rep could take it; ``priority`` is the smaller the sooner; None where the
    rep cannot get it, and ``why_not`` says why.
    """

    rep_id: str
    open: int
    capacity: int | None
    turns: int
    weight: int
    priority: float | None
    rule: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAsked:
    """One rule as it stands towards one lead: whether its condition holds, and how many reps could take the lead."""

    rule: str
    holds: bool
    able: int
    with_room: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerExplained:
    """Why a lead has its owner, or who would get it and why not the others; ``as_known_at`` is when that was so."""

    lead_id: int
    name: str | None
    status: str
    owner: str | None
    assigned_at: datetime | None
    strategy: str | None
    reason: str
    rule: str | None = None
    rules: tuple[RuleAsked, ...] = ()
    chances: tuple[Chance, ...] = ()
    as_known_at: datetime | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceChanged:
    """An absence that was added or ended; without times there was none, without a commit it was so already."""

    rep_id: str
    starts_at: datetime | None
    ends_at: datetime | None
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesChecked:
    """How many rules there are, and what is wrong with them."""

    rules: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What is promised, and how many assigned leads are due, answered in time, answered late, or overdue."""

    first_response: str
    calendar: str
    due: int
    met: int
    late: int
    breached: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOn:
    """A lead whose first response was overdue: who had it, who has it now (None: nobody else could take it), why."""

    lead_id: int
    before: str
    after: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """Overdue leads that went to the next rep, and those that stay."""

    moved: tuple[PassedOn, ...]
    stays: tuple[PassedOn, ...]
    dry_run: bool = False
    commit: int | None = None
