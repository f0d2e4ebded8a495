"""What a simulation answers: what would have been done, to whom, and how that compares with another wording."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

History = Literal["known", "happened"]
"""``known``: each run sees what had been learned by then (the workspace's commits). ``happened``: what had happened by
then, as it is known now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCount:
    """What became of those who came to one step. ``waits`` had to stay for a while, ``waiting`` do so at the end."""

    step: str
    action: str
    arrived: int
    done: int
    skipped: int
    waits: int
    waiting: int
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a step was skipped or had to wait, and for how many."""

    what: str
    reason: str
    leads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RepLoad:
    """The tasks that one rep would have got; ``most`` on the fullest day."""

    owner: str
    tasks: int
    most: int
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What was done on the average day with anything to do, and on the fullest."""

    what: str
    total: int
    mean: float
    most: int
    on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What was done on one day of the workspace's zone."""

    day: date
    entries: int = 0
    messages: int = 0
    tasks: int = 0
    approvals: int = 0
    pushes: int = 0
    leavers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of one lead's path: what was decided at a step and why, and where it went."""

    at: datetime
    step: str | None
    what: str
    reason: str | None
    to_step: str | None
    due_at: datetime | None
    wording: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One wording of a strategy, simulated: how many went in and came out, and where."""

    name: str
    version: str
    source: str
    entered: int
    control: int
    goal: int
    control_goal: int
    exited: int
    finished: int
    inside: int
    messages: int
    tasks: int
    approvals: int
    pushes: int
    capped: int
    steps: tuple[StepCount, ...]
    loads: tuple[Load, ...]
    reps: tuple[RepLoad, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure of a comparison; ``difference`` is edited less real."""

    figure: str
    real: float
    edited: float

    @property
    def difference(self) -> float:
        """How much more the edited wording has."""
        return self.edited - self.real


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Leads to whom the edited wording does more or less than the real one."""

    what: str
    more: int
    less: int
    example_more: int | None
    example_less: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """How the simulation of a recorded period agrees with its record: of ``recorded`` rows ``same`` came out alike."""

    what: str
    recorded: int
    simulated: int
    same: int

    @property
    def exact(self) -> bool:
        """Whether both are the same."""
        return self.recorded == self.simulated == self.same


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """A simulated period. ``notes`` say what the history cannot tell, ``assumptions`` what was taken for granted."""

    strategy: str
    start: datetime
    end: datetime
    time_zone: str
    history: History
    runs: int
    pace: str
    commits: tuple[int, int]
    notes: tuple[str, ...]
    assumptions: tuple[str, ...]
    real: Way
    days: tuple[Day, ...] = ()
    path: tuple[Stage, ...] = ()
    edited: Way | None = None
    lines: tuple[Line, ...] = ()
    shifts: tuple[Shift, ...] = ()
    replay: tuple[Replayed, ...] = ()
    seconds: float = 0.0
