"""Let dead letters be tried again: messages that were put off until their attempts were used up.

What was refused for good stays refused: another try would be refused again, and harm the sender's name.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sfactl.api.errors import NotFound, UserError
from sfactl.session import Session
from sfactl.workspace.ledger import DEAD, EffectRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryResult:
    """How many messages may be tried again, by campaign; and how many of them stay refused for good."""

    messages: int
    campaigns: dict[str, int]
    refused: int = 0


def retry(session: Session, *, key: str = "", campaign: str = "") -> RetryResult:
    """Put back the dead letter ``key``, or all of ``campaign``; nothing is sent by this.

    Raises `NotFound` for a key that is no dead letter, `UserError` for one that was refused, `LockBusy` while the
    campaign is being sent.
    """
    dead = [r for r in session.ledger.rows(state=DEAD) if (r.key == key if key else r.meta.get("campaign") == campaign)]
    refused = _refused(session, key=key, campaign=campaign)
    if key and not dead:
        if refused:
            raise UserError(
                f"{key} was refused for good: {refused[0]}",
                hint="Correct the address; a campaign reaches it again with the next rotation.",
            )
        raise NotFound(f"no dead letter has the key {key!r}", hint="See: sfactl touch list --state dead")
    if not session.dry_run:
        for scope in sorted({r.scope for r in dead}):
            with session.ledger.lease(scope, run_id=session.run_id) as lease:
                lease.revive([r.key for r in dead if r.scope == scope])
    return RetryResult(
        messages=len(dead),
        campaigns=dict(sorted(Counter(str(r.meta.get("campaign", "")) for r in dead).items())),
        refused=len(refused),
    )


def dead_of_plan(session: Session, plan_id: str, scope: str) -> list[EffectRow]:
    """The dead letters of one plan."""
    return [r for r in session.ledger.rows(scope, DEAD) if r.meta.get("plan_id") == plan_id]


def _refused(session: Session, *, key: str, campaign: str) -> list[str]:
    """What the receivers said to those who are refused for good."""
    with session.query() as query:
        rows = query.rows(
            "select coalesce(detail, '') from messages where state = 'refused'"
            " and (message_key = $key or ($key = '' and campaign = $campaign))",
            {"key": key, "campaign": campaign},
        )
    return [r[0] for r in rows]
