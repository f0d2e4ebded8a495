"""What the order-to-cash steps answer with, and the work of one push."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sfactl.api.records import ErpCustomer, ErpKind, ErpOrder, ErpProduct, Ref
from sfactl.approvals.model import Need
from sfactl.orders.contracts import Signed


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
    """One thing to bring about in the ERP. ``verb`` is customer, product, order or cancel.

    ``since`` says since when the ERP holds the content that this replaces; empty for something new.
    """

    verb: str
    kind: ErpKind
    our_key: str
    payload: ErpCustomer | ErpProduct | ErpOrder | None
    payload_hash: str
    since: str = ""
    order_id: int | None = None
    needs: tuple[str, ...] = ()
    attempt: int = 0

    @property
    def effect_key(self) -> str:
        """Key in the ledger, where a key is used once for ever.

        A customer may change from one content to another and back, so content and time are both in the key. What a
        person let try again is a new effect.
        """
        key = f"{self.our_key}:{self.verb}"
        if self.verb in {"customer", "product"}:
            key += f":{self.payload_hash[:16]}@{self.since or 'new'}"
        return f"{key}#{self.attempt}" if self.attempt else key


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was learned about one thing at the ERP; more than one reference means duplicates."""

    effect_key: str
    verb: str
    kind: ErpKind
    our_key: str
    payload_hash: str
    order_id: int | None
    refs: tuple[Ref, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A task for a person: to confirm something in the ERP, or to solve a duplicate there."""

    task_id: str
    title: str
    order_id: int | None


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
class OpenInvoice:
    """An invoice of an order and what is open of it."""

    invoice: str
    invoiced_on: date
    due_on: date
    amount: Decimal
    allocated: Decimal
    open_amount: Decimal
    days_overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """What is still to be paid of one order."""

    order_id: int
    status: str
    currency: str
    as_of: date
    ordered: Decimal
    invoiced: Decimal
    allocated: Decimal
    open_amount: Decimal
    invoices: tuple[OpenInvoice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order without its lines."""

    order_id: int
    status: str
    quote_id: int | None
    opportunity_id: int | None
    account_id: int | None
    contact_id: int | None
    lead_id: int | None
    owner: str | None
    at: datetime
    channel: str | None
    currency: str
    amount: Decimal
    payment_terms_days: int | None
    erp: str | None
    erp_id: str | None
    erp_number: str | None
    updated_at: datetime | None
    cancelled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One line of an order."""

    line_no: int
    sku: str
    product_name: str | None
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order with its lines; ``needs`` are the approvals it needs, given or not."""

    order: Order
    lines: tuple[OrderLine, ...]
    needs: tuple[Need, ...] = ()
    contracts: tuple[Signed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What an ERP says about itself, and what stands in the way."""

    erp: str
    use: str
    facts: Mapping[str, str]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Receipts that were matched with receivables by a person or by a rule."""

    by: str
    receipts: int
    amount_by_currency: Mapping[str, Decimal]
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that we and the ERP say differently, with both values."""

    invoice: str
    what: str
    ours: str
    erp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The comparison of what is open here and in the ERP."""

    erp: str
    as_of: date
    open_here: int
    open_there: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """An order that was cancelled, and whether the ERP must be told by the next push."""

    order_id: int
    at: datetime
    tell_erp: bool
    repeated: bool
    dry_run: bool = False
    commit: int | None = None
