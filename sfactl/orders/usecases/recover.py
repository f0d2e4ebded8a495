"""Ask the ERP about everything that an earlier push left open, before anything new is sent.

An effect whose outcome is unknown is looked up by its key. What is found is settled; what is not found is sent again
only once the lost request cannot be on its way any more, or where the ERP itself refuses a second one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sfactl.api.errors import SfactlError
from sfactl.api.records import ErpCapabilities, Receipt, Ref
from sfactl.orders.findings import Findings
from sfactl.orders.model import Known
from sfactl.orders.usecases.exchange import Exchange, contained
from sfactl.session import Session
from sfactl.workspace.ledger import EffectRow, Lease

DRAFTS = frozenset({"draft", "quoted", "quotation"})
"""States from which an order that is found is pushed on rather than taken for done."""


@dataclass(slots=True)
class Recovery:
    """What was learned, and the effects that may be sent again if they are still wanted."""

    known: list[Known] = field(default_factory=list)
    repeatable: list[EffectRow] = field(default_factory=list)


def recover(session: Session, exchange: Exchange, lease: Lease, findings: Findings) -> Recovery:
    """Look up what is unknown, and what was done but not recorded. What cannot be asked is listed and left."""
    done = Recovery()
    rows = [r for r in session.ledger.rows(exchange.scope) if r.state in {"unknown", "accepted"}]
    if not rows:
        return done
    with contained(exchange.name):
        able = exchange.connector.capabilities()
    for row in rows:
        try:
            with contained(exchange.name):
                refs = tuple(exchange.connector.find(row.meta["kind"], row.meta["our_key"]))
        except SfactlError as err:
            findings.add("unknown", row.meta["our_key"], row.meta["order_id"], f"could not be looked up: {err.message}")
            continue
        if row.state == "accepted":
            done.known.append(_known(row, refs or (_remembered(row, exchange.name),)))
        else:
            _settle(session, exchange, lease, findings, done, row, refs, able)
    return done


def release(lease: Lease, rows: Sequence[EffectRow], wanted: Collection[str]) -> list[Known]:
    """Let what is still ``wanted`` be sent again; answers the rest, which nobody asks for any more, to be retired."""
    dropped = []
    for row in rows:
        if row.key in wanted:
            lease.settle([Receipt(key=row.key, outcome="retry_after", detail=row.detail, retry_after_s=0)])
        else:
            lease.settle([Receipt(key=row.key, outcome="refused", detail="not wanted any more")])
            dropped.append(_known(row, ()))
    return dropped


def _settle(
    session: Session,
    exchange: Exchange,
    lease: Lease,
    findings: Findings,
    done: Recovery,
    row: EffectRow,
    refs: tuple[Ref, ...],
    able: ErpCapabilities,
) -> None:
    if row.meta["verb"] == "order" and refs and refs[0].state not in DRAFTS:
        lease.settle([Receipt(key=row.key, outcome="accepted", provider_id=refs[0].id, detail="found at the ERP")])
        done.known.append(_known(row, refs))
        return
    until = datetime.fromisoformat(row.meta["sent_at"]) + timedelta(seconds=exchange.settings.request_limit_s)
    if refs or able.unique_key or row.meta["verb"] == "cancel" or session.now() >= until:
        done.repeatable.append(row)
    else:
        reason = f"{row.detail}; not found at the ERP, may still be on its way until {until:%Y-%m-%d %H:%M:%S} UTC"
        findings.add("unknown", row.meta["our_key"], row.meta["order_id"], reason)


def _known(row: EffectRow, refs: tuple[Ref, ...]) -> Known:
    return Known(
        effect_key=row.key,
        verb=row.meta["verb"],
        kind=row.meta["kind"],
        our_key=row.meta["our_key"],
        payload_hash=row.payload_hash,
        order_id=row.meta["order_id"],
        refs=refs,
    )


def _remembered(row: EffectRow, erp: str) -> Ref:
    """The reference that the ledger kept, where the ERP cannot look a key up any more."""
    return Ref(erp=erp, kind=row.meta["kind"], id=row.provider_id)
