"""What a case is when it is opened, and what is said about those opened, changed and looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sfactl.api.errors import NotFound

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One case to be opened. ``silent`` is why its customer is told nothing; ``thread`` what its mail answered."""

    lead_id: int | None
    channel: str
    subject: str
    opened_at: datetime
    text: str = ""
    category: str = ""
    priority: str = ""
    owner: str = ""
    address: str = ""
    contact_id: int | None = None
    account_id: int | None = None
    source: str = ""
    source_key: str = ""
    message_id: str = ""
    thread: str = ""
    silent: str = ""
    event_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened:
    """A case that was opened; ``known`` tells that it was there before. ``silent`` is why nobody will be told."""

    case_id: int
    status: str
    lead_id: int | None
    owner: str
    silent: str = ""
    known: bool = False
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChange:
    """What was changed in one case; a move has the statuses."""

    case_id: int
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesSet:
    """All that was changed; ``same`` cases said so before."""

    changes: tuple[CaseChange, ...]
    same: int = 0
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """One thing that happened in a case, or that its customer was told."""

    at: datetime
    what: str
    detail: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseShown:
    """A case with all that happened in it, oldest first, and the statuses that may follow."""

    case: Row
    lead: str
    events: tuple[CaseEvent, ...]
    next: tuple[str, ...]


def case_number(ref: str) -> int:
    """``12``, ``case:12`` and ``C-12`` as a number. Raises `NotFound`."""
    text = ref.strip()
    for prefix in ("case:", "C-", "#"):
        text = text.removeprefix(prefix)
    if not (text.isascii() and text.isdigit()):
        raise NotFound(f"{ref!r} is not a case", hint="Write its number: 12 or case:12.")
    return int(text)
