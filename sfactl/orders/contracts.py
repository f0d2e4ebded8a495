"""What a contract is once it was signed for an order, and which ones an order has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sfactl.engine.duck import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A contract that was recorded; ``repeated`` tells that it was there before."""

    order_id: int
    number: str
    signed_on: date
    signed_by: str
    ends_on: date | None = None
    document_sha256: str = ""
    repeated: bool = False
    dry_run: bool = False
    commit: int | None = None


def contracts_of(query: Query, order_id: int) -> tuple[Signed, ...]:
    """The contracts of an order, the oldest first."""
    rows = query.rows(
        "select number, signed_on, coalesce(signed_by, ''), ends_on, coalesce(document_sha256, '') from contracts"
        " where order_id = $order_id order by signed_on, contract_id",
        {"order_id": order_id},
    )
    return tuple(
        Signed(order_id=order_id, number=n, signed_on=on, signed_by=by, ends_on=ends, document_sha256=digest)
        for n, on, by, ends, digest in rows
    )
