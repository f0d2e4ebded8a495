"""Count what came back of a campaign's messages, and keep the word of a person who lets it go on all the same."""

from __future__ import annotations

from datetime import datetime, timedelta

from sfactl.campaigns.model import Campaign
from sfactl.campaigns.reputation import Returned
from sfactl.campaigns.usecases.scene import scope_of
from sfactl.config.senders import StopRule, sender_pace
from sfactl.engine.periods import parse_period
from sfactl.session import Session


def returned(session: Session, campaign: str, sender: str, scope: str, rule: StopRule) -> Returned:
    """What became of the messages that count for ``rule``: recent ones, and none from before an override."""
    import pyarrow as pa

    since = session.now() - timedelta(seconds=parse_period(rule.within).seconds)
    if (at := overridden_at(session, campaign)) is not None:
        since = max(since, at)
    rows = [
        (r.meta.get("lead_id"), r.state)
        for r in session.ledger.rows(scope)
        if r.meta.get("sender") == sender and r.settled_at is not None and r.settled_at > since
    ]
    leads, states = zip(*rows, strict=True) if rows else ((), ())
    held = pa.table({"lead_id": pa.array(leads, pa.int64()), "state": pa.array(states, pa.string())})
    with session.query() as query:
        query.register("held", held)
        named = {"campaign": campaign, "sender": sender, "since": since}
        found = query.one(query.statement("campaigns", "returned"), named) or (0, 0, 0, 0)
    accepted, refused, bounced, complained = map(int, found)
    return Returned(accepted=accepted, refused=refused, bounced=bounced, complained=complained)


def overstepped(session: Session, campaign: Campaign, *, scope: str = "") -> str:
    """Which limit the campaign oversteps now; empty where none. What people asked for (transactional) never stops.

    ``scope`` is the ledger's, by default the campaign's.
    """
    table = session.settings.senders.get(campaign.sender)
    if table is None or not campaign.marketing:
        return ""
    rule = sender_pace(table, where=str(session.folder / "senders" / f"{campaign.sender}.toml")).stop
    scope = scope or scope_of(campaign.name)
    said = returned(session, campaign.name, campaign.sender, scope, rule).overstepped(rule)
    return f"{said}; to go on all the same: --override REASON" if said else ""


def override(session: Session, campaign: str, reason: str) -> None:
    """Let a campaign or strategy go on though it overstepped a limit: what came back before counts no longer."""
    with session.write(reason=f"go on with {campaign} though too much came back: {reason}") as tx:
        tx.set_cursor(_name(campaign), {"by": session.actor, "at": session.now().isoformat(), "reason": reason})
        tx.commit(campaign=campaign, override=reason)


def overridden_at(session: Session, campaign: str) -> datetime | None:
    """Since when the campaign is measured anew; None where nobody said so."""
    said = session.workspace.cursor(_name(campaign))
    return datetime.fromisoformat(str(said["at"])) if said else None


def _name(campaign: str) -> str:
    return f"campaign.{campaign}.override"
