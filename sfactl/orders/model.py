"""What the order-to-cash steps answer with, and the work of one push."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sfactl.api.records import ErpCustomer, ErpKind, ErpOrder, ErpProduct


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpSettings:
    """One file ``erp/NAME.toml``: the connector to use, and what the core itself needs to know about the ERP.

    ``request_limit_s`` is the longest time a request may go on at the other side after its answer was lost: an order
    that is not found after that long was never made. ``attempts`` bounds retries of what is safe to retry.
    """

    use: str
    request_limit_s: float = 120.0
    attempts: int = 4


CORE_KEYS = frozenset({"schema", "use", "request_limit_s", "attempts"})
"""Keys of ``erp/NAME.toml`` that are the core's; all others are the connector's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One thing to bring about in the ERP. ``verb`` is customer, product, order or cancel."""

    verb: str
    kind: ErpKind
    our_key: str
    payload: ErpCustomer | ErpProduct | ErpOrder | None
    payload_hash: str
    order_id: int | None = None
    needs: tuple[str, ...] = ()
    attempt: int = 0

    @property
    def effect_key(self) -> str:
        """Key in the ledger. Upserts are one effect a payload; a thing a person let try again is a new effect."""
        key = f"{self.our_key}:{self.verb}"
        if self.verb in {"customer", "product"}:
            key += f":{self.payload_hash[:16]}"
        return f"{key}#{self.attempt}" if self.attempt else key


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Something that needs a person's eye: the key, its order if any, what it is, and why."""

    key: str
    what: str
    order_id: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What a push did. Everything that was not done is in one of the lists with its reason."""

    erp: str
    customers: int
    products: int
    orders: int
    cancelled: int
    recovered: int
    unchanged: int
    refused: tuple[Listed, ...] = ()
    to_confirm: tuple[Listed, ...] = ()
    unknown: tuple[Listed, ...] = ()
    postponed: tuple[Listed, ...] = ()
    duplicates: tuple[Listed, ...] = ()
    dry_run: bool = False
    commit: int | None = None

    @property
    def undone(self) -> tuple[Listed, ...]:
        """All that was not done."""
        return (*self.refused, *self.to_confirm, *self.unknown, *self.postponed, *self.duplicates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row of the ERP that could not be taken over."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCount:
    """What became of the rows of one stream."""

    rows: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: tuple[Rejected, ...] = ()

    def plus(self, other: StreamCount) -> StreamCount:
        """Both together."""
        return StreamCount(
            rows=self.rows + other.rows,
            new=self.new + other.new,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            rejected=(*self.rejected, *other.rejected),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PullResult:
    """What a pull brought."""

    erp: str
    invoices: StreamCount
    payments: StreamCount
    unmatched: int
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Receivables of one currency on a day: ``receivable`` = ``allocated`` + ``outstanding``, always."""

    currency: str
    receivable: Decimal
    allocated: Decimal
    outstanding: Decimal
    unapplied: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """What is still to be paid of one order."""

    order_id: int
    status: str
    currency: str
    ordered: Decimal
    invoiced: Decimal
    allocated: Decimal
    open: Decimal
    as_of: date
    invoices: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order with its lines and where it lives in the ERP."""

    order: dict[str, Any]
    lines: tuple[dict[str, Any], ...]
    refs: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """An order that was cancelled, and whether the ERP must be told by the next push."""

    order_id: int
    at: datetime
    tell_erp: bool
    repeated: bool
    dry_run: bool = False
    commit: int | None = None
