"""Stop a campaign and let it go on. A run that is under way sees it before its next batch."""

from __future__ import annotations

from dataclasses import dataclass

from sfactl.campaigns.usecases.scene import pause_name, paused_by, read_files
from sfactl.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseResult:
    """Whether the campaign is paused now, and whether that is new."""

    campaign: str
    paused: bool
    changed: bool


def pause(session: Session, name: str) -> PauseResult:
    """Let nothing of the campaign leave until `unpause`."""
    return _set(session, name, paused=True)


def unpause(session: Session, name: str) -> PauseResult:
    """Let the campaign go on."""
    return _set(session, name, paused=False)


def _set(session: Session, name: str, *, paused: bool) -> PauseResult:
    read_files(session, name)
    return PauseResult(campaign=name, paused=paused, changed=switch(session, name, paused=paused, campaign=name))


def switch(session: Session, name: str, *, paused: bool, **told: str) -> bool:
    """Pause ``name``, or let it go on; answers whether that is new. The commit tells what it was (``told``)."""
    changed = (paused_by(session, name) is not None) is not paused
    if changed:
        with session.write(reason=f"{'pause' if paused else 'unpause'} {name}") as tx:
            value = {"by": session.actor, "at": session.now().isoformat()} if paused else None
            tx.set_cursor(pause_name(name), value)
            tx.commit(**told, paused=paused)
    return changed
