"""What a timeline shows: the kinds of thing that happen, and one page of them. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sfactl.api.errors import UserError

KINDS: Mapping[str, str] = {
    "touch": "what the customer did, calls, meetings and notes",
    "message": "what was sent",
    "stage": "moves of leads and deals between stages",
    "field": "other changes of deals",
    "assignment": "owners",
    "task": "tasks opened and done",
    "action": "next actions suggested and set",
    "tag": "tags that are borne now",
    "intent": "what texts seem to want",
    "score": "changes of scores",
    "deal": "deals opened",
    "quote": "quotes",
    "order": "orders",
    "contract": "contracts signed",
    "invoice": "invoices",
    "payment": "payments",
    "case": "complaints and questions, and what became of them",
    "merge": "records that were merged into this one",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened: when, its kind, what, more about it, who did it, to whom, and the id of its row."""

    at: datetime
    kind: str
    what: str | None
    detail: str | None
    actor: str | None
    about: str | None
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """One page of what happened with somebody, in time order. Page 1 is the newest; ``counts`` are of all pages."""

    ref: str
    name: str | None
    total: int
    page: int
    pages: int
    counts: Mapping[str, int]
    entries: tuple[Entry, ...]


def kinds_of(said: Iterable[str]) -> tuple[str, ...]:
    """The kinds that ``said`` names, each perhaps several with commas; none means all. Raises `UserError`."""
    names = [name.strip() for text in said for name in text.split(",") if name.strip()]
    for name in names:
        if name not in KINDS:
            near = difflib.get_close_matches(name, KINDS, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Kinds: {', '.join(KINDS)}"
            raise UserError(f"there is no kind {name!r} in a timeline", hint=hint)
    return tuple(dict.fromkeys(names))
