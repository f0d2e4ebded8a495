"""Stop all sending of the workspace at once, and let it begin again. Runs under way see it before their next batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sfactl.campaigns.usecases.scene import STANDSTILL
from sfactl.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class StopResult:
    """Whether all sending is stopped now, by whom, since when and why; and whether that is new."""

    stopped: bool
    changed: bool
    by: str = ""
    since: datetime | None = None
    reason: str = ""


def stop(session: Session, *, reason: str) -> StopResult:
    """Let no message of any campaign or strategy leave until `start`. One stop is enough: a second changes nothing."""
    if (known := standstill(session)) is not None:
        return known
    value = {"by": session.actor, "at": session.now().isoformat(), "reason": reason}
    with session.write(reason=f"stop all sending: {reason}") as tx:
        tx.set_cursor(STANDSTILL, value)
        tx.commit(stopped=True, why=reason)
    return StopResult(stopped=True, changed=True, by=session.actor, since=session.now(), reason=reason)


def start(session: Session, *, reason: str = "") -> StopResult:
    """Let messages leave again. Nothing is sent by this; what was interrupted is gone on with by its resume."""
    known = standstill(session)
    if known is None:
        return StopResult(stopped=False, changed=False)
    with session.write(reason=f"start sending again{f': {reason}' if reason else ''}") as tx:
        tx.set_cursor(STANDSTILL, None)
        tx.commit(stopped=False, why=reason)
    return StopResult(stopped=False, changed=True, by=known.by, since=known.since, reason=known.reason)


def standstill(session: Session) -> StopResult | None:
    """Who stopped all sending, and why; None where messages may leave."""
    said = session.workspace.cursor(STANDSTILL)
    if said is None:
        return None
    since = datetime.fromisoformat(str(said["at"]))
    return StopResult(stopped=True, changed=False, by=str(said["by"]), since=since, reason=str(said["reason"]))
