"""What is answered of a process: how far its cases keep to it, each deviation with its rows, and where time went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One process file."""

    name: str
    case: str
    activities: int
    deadlines: int
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found: how many files were read, and one message for each thing that is wrong."""

    checked: int
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Defined:
    """A process file that was put into the workspace; ``known`` says that it was there already."""

    process: str
    activities: int
    notes: tuple[str, ...]
    known: bool
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The rows of one activity: how many are events of a case, and how many are tied to none."""

    activity: str
    dataset: str
    rows: int
    unlinked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of deviation: how often, in how many cases, and one of them."""

    kind: str
    what: str
    times: int
    cases: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How one deadline was kept. ``share`` is kept among kept, late and missed; None where nothing fell due yet."""

    what: str
    within: str
    kept: int
    late: int
    missed: int
    waiting: int
    void: int
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTime:
    """Where the time of all cases went: one kind of step. Times are exact, in microseconds."""

    what: str
    times: int
    cases: int
    total_us: int
    median_us: int
    allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """How often closed cases were taken up again, each time counted once."""

    times: int
    cases: int
    closed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conformance:
    """How far the cases of a process keep to it.

    ``fitness`` is the share of allowed steps: into the first activity, from one to the next, and out of the last where
    the case is over. It is the token replay fitness ½(1 − missing/consumed) + ½(1 − remaining/produced) of Rozinat and
    van der Aalst (Conformance checking of processes based on monitoring real behavior, Information Systems 33, 2008)
    of the net with one place an activity, where a step that is not allowed misses one token and leaves one behind,
    and what was left behind is not used again. None where there is no step.
    """

    process: str
    case: str
    at: datetime
    seq: int
    cases: int
    over: int
    fitting: int
    events: int
    steps: int
    wrong: int
    fitness: float | None
    total_us: int
    activities: tuple[Told, ...]
    deviations: tuple[Kind, ...]
    deadlines: tuple[Keeping, ...]
    times: tuple[StepTime, ...]
    reopened: Reopened | None

    @property
    def running(self) -> int:
        """Cases that are not over."""
        return self.cases - self.over

    @property
    def fitting_share(self) -> float | None:
        """The share of cases without any deviation."""
        return self.fitting / self.cases if self.cases else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of a case, the row that tells it, and the time since the step before."""

    at: datetime
    activity: str
    row: str
    actor: str | None
    wait_us: int | None
    verdict: str
    """``ok``, ``any time``, or what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One deadline of a case."""

    what: str
    set_at: datetime
    due_at: datetime
    met_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseExplained:
    """One case: its events, the steps between them, which add up to ``total_us``, and its deadlines.

    ``waiting_us`` is the time from the last step until now where the case is not over; it is not in ``total_us``.
    """

    process: str
    case: str
    state: str
    fitness: float | None
    total_us: int
    waiting_us: int | None
    events: tuple[Event, ...]
    promises: tuple[Promise, ...]
    reopened: int
    problems: tuple[str, ...]
