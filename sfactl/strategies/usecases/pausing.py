"""Stop a strategy and let it go on. A run that is under way sees it before its next batch of messages."""

from __future__ import annotations

from dataclasses import dataclass

from sfactl.campaigns.usecases.pausing import switch
from sfactl.session import Session
from sfactl.strategies.files import read_strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseResult:
    """Whether the strategy is paused now, and whether that is new."""

    strategy: str
    paused: bool
    changed: bool


def pause(session: Session, name: str) -> PauseResult:
    """Let nothing of the strategy happen until `unpause`."""
    return _set(session, name, paused=True)


def unpause(session: Session, name: str) -> PauseResult:
    """Let the strategy go on."""
    return _set(session, name, paused=False)


def _set(session: Session, name: str, *, paused: bool) -> PauseResult:
    read_strategy(session.folder, name)
    return PauseResult(strategy=name, paused=paused, changed=switch(session, name, paused=paused, strategy=name))
