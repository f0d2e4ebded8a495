"""Messages one by one: list them, and keep the addresses to leave in peace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sfactl.consent.addresses import address_of
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressResult:
    """An address on, or off, the list. ``changed`` is false where it was so already."""

    kind: Literal["email", "phone"]
    value: str
    scope: str
    suppressed: bool
    changed: bool


def messages(session: Session, *, state: str = "", campaign: str = "", limit: int = 50) -> pa.Table:
    """Messages sent, held and on their way, newest first."""
    import pyarrow as pa

    rows = [r for r in session.ledger.rows() if r.kind == "message"] if session.as_of is None else []
    columns: dict[str, list[object]] = {"key": [r.key for r in rows], "state": [r.state for r in rows]}
    for name in ("campaign", "step", "lead_id", "recipient"):
        columns[name] = [r.meta.get(name) for r in rows]
    columns |= {"at": [r.settled_at or r.planned_at for r in rows], "detail": [r.detail for r in rows]}
    types = [pa.string()] * 4 + [pa.int64(), pa.string(), pa.timestamp("us"), pa.string()]
    held = pa.table({n: pa.array(v, t) for (n, v), t in zip(columns.items(), types, strict=True)})
    with session.query() as query:
        query.register("held", held)
        sql = query.statement("campaigns", "messages")
        return query.table(
            f"select * from ({sql}) {f'limit {int(limit)}' if limit else ''}", {"state": state, "campaign": campaign}
        )


def suppress(session: Session, address: str, *, reason: str = "manual", scope: str = "all") -> SuppressResult:
    """Never write to ``address`` again, in all campaigns or in one."""
    kind, value = address_of(address, session.settings.workspace.country)
    with session.write("suppressions", reason=f"suppress: {reason}") as tx:
        known = tx.query.get("suppressions", kind, value, scope)
        if known is None:
            tx.upsert(
                "suppressions",
                "select $kind as kind, $value as value, $scope as scope, $reason as reason,"
                ' cast($now as timestamp) as "at"',
                {"kind": kind, "value": value, "scope": scope, "reason": reason, "now": session.now()},
            )
            tx.commit(suppressed=1)
    return SuppressResult(kind=kind, value=value, scope=scope, suppressed=True, changed=known is None)


def unsuppress(session: Session, address: str, *, scope: str = "all") -> SuppressResult:
    """Take ``address`` off the list. A person's own unsubscribe stays in force."""
    kind, value = address_of(address, session.settings.workspace.country)
    with session.write("suppressions", reason="unsuppress") as tx:
        known = tx.query.get("suppressions", kind, value, scope)
        if known is not None:
            tx.delete(
                "suppressions",
                "select $kind as kind, $value as value, $scope as scope",
                {"kind": kind, "value": value, "scope": scope},
            )
            tx.commit(unsuppressed=1)
    return SuppressResult(kind=kind, value=value, scope=scope, suppressed=False, changed=known is not None)
