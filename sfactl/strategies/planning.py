"""Turn a walk into a plan: its items, its counts, and the hash that is its id.

The id holds no time of running, commit, machine or workspace: the same files over the same content give the same plan.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sfactl.campaigns.planning import content_version as carried_version
from sfactl.engine.duck import Query
from sfactl.strategies.book import Book
from sfactl.strategies.files import StrategyFile, senders_of, touches

if TYPE_CHECKING:
    import pyarrow as pa

PACKAGE = "strategies"
EFFECTS = ("send", "task", "approval", "push")
"""Actions that somebody outside notices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One line of a plan: what happens at a step, why, to how many leads."""

    step: str
    action: str
    reason: str
    to_step: str
    leads: int
    next_at: datetime | None
    reps: int
    sender: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan that was worked out. ``items`` has the columns of `plan_items` without plan id and time."""

    plan_id: str
    at: datetime
    seq: int
    items: pa.Table
    counts: tuple[Count, ...]
    moves: int

    def total(self, *actions: str) -> int:
        """Number of leads with one of these actions."""
        return sum(c.leads for c in self.counts if c.action in actions)


def draft(query: Query, book: Book, *, at: datetime) -> Draft:
    """The plan that the tables of a walk make."""
    hashes = query.table(query.statement(PACKAGE, "fingerprints"))
    rows = query.rows(query.statement(PACKAGE, "counts"))
    counts = tuple(
        Count(
            step=step,
            action=action,
            reason=reason,
            to_step=to_step,
            leads=leads,
            next_at=next_at,
            reps=reps,
            sender=sender,
            channel=channel,
        )
        for step, action, reason, to_step, leads, next_at, reps, sender, channel, _ in rows
    )
    (moves,) = query.one("select count(*) from moves") or (0,)
    digest = hashlib.sha256(f"{book.name}\n{content_version(book)}\n".encode())
    for chunk in hashes.column("row_hash").chunks:
        for part in _texts(chunk):
            digest.update(part)
    items = query.table(query.statement(PACKAGE, "items"))
    return Draft(plan_id=digest.hexdigest(), at=at, seq=query.seq, items=items, counts=counts, moves=moves)


def content_version(book: Book) -> str:
    """A hash of all that is written and decides: every version in use, and the wording of touches."""
    parts = [f"{f.version} {' '.join(_wordings(f, book))}" for f in book.versions]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _wordings(file: StrategyFile, book: Book) -> Iterable[str]:
    return (carried_version(touches(file, book.names, s), book.place) for s in senders_of(file.strategy))


def _texts(chunk: pa.Array) -> Iterable[bytes]:
    """The bytes of a chunk of texts, a piece at a time."""
    for start in range(0, len(chunk), 100_000):
        yield "".join(chunk.slice(start, 100_000).to_pylist()).encode()
