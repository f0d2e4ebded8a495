"""Say plainly which history a simulation ran on, what that history cannot tell, and what was assumed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sfactl.session import Session
from sfactl.simulation.model import History
from sfactl.strategies.files import StrategyFile

APPROVALS = {
    "approved": "approvals that nobody gave are given at once",
    "refused": "approvals that nobody gave are refused at once",
    "open": "approvals that nobody gave stay open",
}


def notes_of(history: History, session: Session, start: datetime, end: datetime) -> Iterator[str]:
    """What the history is, and what it cannot tell."""
    if history == "known":
        yield "Each run sees what the workspace knew at that time, as its commits tell."
    else:
        first = session.workspace.commit_time(1)
        since = f" (the first commit is of {first:%Y-%m-%d})" if first and first > start else ""
        yield f"Each run sees what had happened by then, as it is known now{since}: events by their own time."
        yield (
            "Not known: what fields, deals, scores and owners were then; they are taken as they are now. "
            "Leads are there from their first contact or event."
        )
        yield "Events that were deleted, corrected or never imported are missing, as are leads that were erased."
    if end > session.now():
        yield f"Nothing is known after {session.now():%Y-%m-%d %H:%M} UTC: from there on nobody reacts."


def assumptions_of(approvals: str, *, fresh: bool, file: StrategyFile) -> tuple[str, ...]:
    """What was taken for granted."""
    found = [
        "messages are accepted at once, unless the same message was really sent: then it ended as it did",
        "reactions (opens, clicks, orders …) are the recorded ones, whatever the simulation sends",
    ]
    if file.strategy.of("approval"):
        found.append(APPROVALS[approvals])
    if file.strategy.of("task"):
        found.append("tasks are done when the same task was really done, others stay open")
    if fresh:
        found.append("at the beginning nobody is in the strategy or ever was")
    return tuple(found)
