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
        yield "Each run sees what the workspace knew at that time."
    else:
        first = session.workspace.commit_time(1)
        since = f"; the workspace begins on {first:%Y-%m-%d}" if first and first > start else ""
        yield f"Events count by their own time, as they are known now{since}."
        yield "Not known: fields, deals, scores and owners of then. They are taken as they are now."
        yield "Leads are there from their first contact or event on; what was never imported is missing."
    if end > session.now():
        yield f"Nothing is known after {session.now():%Y-%m-%d %H:%M} UTC: from there on nobody reacts."


def assumptions_of(approvals: str, *, fresh: bool, file: StrategyFile) -> tuple[str, ...]:
    """What was taken for granted."""
    found = [
        "a message is accepted at once; one that was really sent ended as it did",
        "opens, clicks, orders and other reactions are the recorded ones",
    ]
    if file.strategy.of("approval"):
        found.append(APPROVALS[approvals])
    if file.strategy.of("task"):
        found.append("a task is done when it was really done, else it stays open")
    if fresh:
        found.append("at the beginning nobody is in the strategy or ever was")
    return tuple(found)
