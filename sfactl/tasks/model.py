"""What a task is when people make, import or close it, and what is said about those changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

FILE_COLUMNS = ("key", "title", "kind", "lead", "owner", "due", "content", "type")
"""What a file of tasks may have; ``title`` it must have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One task to be made. ``key`` makes its id: the same key is the same task for ever.

    With ``due_runs`` it is due so long after it was made, however often it is asked for.
    """

    key: str
    title: str
    kind: str = "call"
    lead_id: int | None = None
    owner: str = ""
    due_at: datetime | None = None
    due_runs: bool = False
    content: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of a file of tasks: the task, and the lead as the file names it."""

    row: int
    lead: str
    task: Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row of a file that could not be taken."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksMade:
    """Tasks that were made or changed; ``known`` ones were there as they are, ``closed`` ones are over and stay so."""

    new: int
    changed: int
    known: int
    closed: int
    without_owner: int
    owners: int
    rejected: tuple[Rejected, ...] = ()
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksClosed:
    """Tasks that were closed or given to somebody. ``same`` were so before."""

    task_ids: tuple[str, ...]
    same: int
    state: str
    owner: str = ""
    dry_run: bool = False
    commit: int | None = None
