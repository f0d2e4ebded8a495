"""What a job, a slot of it, and the record of a run are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, Literal

from sfactl.config.runs import Misfire
from sfactl.engine.calendars import Calendar
from sfactl.engine.periods import Period
from sfactl.engine.schedules import Schedule

State = Literal["due", "started", "done", "nothing", "partly", "waiting", "failed", "skipped", "missed", "interrupted"]
FINAL: tuple[State, ...] = ("done", "nothing", "partly", "waiting", "missed")
"""States after which a slot is not tried again, however many attempts are left."""
UNWELL: tuple[State, ...] = ("failed", "skipped", "partly", "interrupted")
DEADLY = 3
"""Where so many runners died over one slot, it comes last, so that it cannot keep the others from being done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that can be due.

    ``id`` is its kind, or kind:object. ``said_in`` is the file that says its schedule. ``idle`` says why it is never
    due, where it is not; ``needs`` are ids of jobs.
    """

    id: str
    kind: str
    object: str = ""
    schedule: Schedule | None = None
    said_in: str = ""
    idle: str = ""
    misfire: Misfire
    grace: Period
    attempts: int
    calendar: Calendar | None = None
    calendar_name: str = ""
    needs: tuple[str, ...] = ()
    required: bool = True
    minutes_per_run: float = 0.0
    minutes_per_item: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What the record says of one attempt at a slot."""

    run_id: str
    job: str
    due_at: datetime
    attempt: int
    state: State
    plan_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One run that is due: the slot it is for, the earliest slot it stands for, and how many.

    ``missed`` means that it is to be given up, ``late`` that its slot passed longer ago than the grace; ``failed``
    and ``died`` count the earlier attempts at the slot that failed, and those whose runner died.
    """

    job: Job
    due_at: datetime
    first_due_at: datetime
    slots: int = 1
    attempt: int = 1
    failed: int = 0
    died: int = 0
    late: bool = False
    missed: bool = False

    def run_id(self, env: str) -> str:
        """The same for the same slot and attempt on any machine; the commits of the job carry it."""
        text = "\x1f".join((env, self.job.id, self.due_at.isoformat(), str(self.attempt)))
        return blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a job did. ``items`` is what its minutes of saved work are counted by."""

    state: State
    items: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    detail: str = ""
    error: str = ""
    plan_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """The record of one run of a job; times are naive UTC."""

    run_id: str
    batch: int
    place: int
    env: str
    job: str
    due_at: datetime
    first_due_at: datetime
    slots: int
    attempt: int
    state: State
    started_at: datetime | None
    ended_at: datetime | None = None
    items: int = 0
    counts: Mapping[str, Any] = field(default_factory=dict)
    detail: str = ""
    error: str = ""
    plan_id: str | None = None
    first_commit: int | None = None
    last_commit: int | None = None
    actor: str = ""
    minutes_per_run: float = 0.0
    minutes_per_item: float = 0.0

    @property
    def minutes_saved(self) -> float:
        """Declared minutes of hand work; nothing where the job did nothing."""
        if self.state not in ("done", "partly"):
            return 0.0
        return self.minutes_per_run + self.items * self.minutes_per_item


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A plan that waits for somebody's approval."""

    job: str
    plan_id: str
    since: datetime
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What one ``run --due`` did, or in a dry run would do; ``batch`` is the runner's token.

    ``problems`` are files that say when something is due and cannot be read.
    """

    at: datetime
    time_zone: str
    env: str
    dry_run: bool
    batch: int | None
    jobs: tuple[JobRun, ...]
    waiting: tuple[Waiting, ...] = ()
    next_at: datetime | None = None
    next_job: str = ""
    taken_over: str = ""
    problems: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Whether everything that was due was done."""
        return not self.problems and not any(run.state in UNWELL for run in self.jobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine:
    """One job in a listing."""

    job: str
    schedule: str
    said_in: str
    next_at: datetime | None
    due: int
    last_state: str
    last_due_at: datetime | None
    misfire: str
    needs: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A coming slot of a job: naive UTC, and as the wall clock of the workspace shows it."""

    job: str
    due_at: datetime
    local: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Hand work that one job saved: runs × minutes a run + items × minutes an item = minutes."""

    job: str
    runs: int
    items: int
    minutes_per_run: float
    minutes_per_item: float
    minutes: float
    hours: float
