"""Records that cross the boundary between core and plugin. All frozen; money is Decimal, times are UTC without zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Cursor = Mapping[str, Any]
"""Opaque to the core, made of JSON values; saved in the same commit as the data that it stands behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A batch from a source and the cursor that stands just behind it.

    ``table`` has whatever columns the source has; the mapping of the source turns them into lead fields.
    """

    table: pa.Table
    cursor: Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class MailPage:
    """Some mails of a mailbox as they came in (RFC 5322), and the cursor that stands just behind them."""

    mails: Sequence[bytes]
    cursor: Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlScore:
    """A scoring statement for the engine.

    ``sql`` answers rows (lead_id BIGINT, rule VARCHAR, points DOUBLE, detail VARCHAR, at TIMESTAMP), any number a lead;
    the score of a lead is the sum of its points. ``params`` are bound by name (``$name``). ``$now`` and ``$as_of``
    are always there.
    """

    sql: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes along with a message: ``inline`` as a picture in its HTML, else attached."""

    name: str
    content_type: str
    content: bytes
    sha256: str
    inline: bool = False

    @property
    def content_id(self) -> str:
        """How HTML refers to it, without ``<>``: ``<img src="cid:…">`` (RFC 2392)."""
        return f"{self.sha256[:40]}@sfactl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one recipient, ready to send.

    ``key`` is unique for the effect (workspace, campaign, step, contact, rotation) and stays the same on a retry:
    pass it on as idempotency key or Message-ID. Only a sender whose offer has the capability ``attachments`` is given
    messages with attachments.
    """

    key: str
    channel: str
    recipient: str
    sender: str
    subject: str
    text: str
    html: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    lead_id: int | None = None
    campaign: str = ""
    step: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentLabel:
    """An intent that a workspace declares: the only labels an extractor may answer.

    ``summary`` and ``examples`` say what is meant, ``patterns`` lists words and phrases by language (``any``: in all).
    """

    name: str
    summary: str = ""
    examples: tuple[str, ...] = ()
    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonTask:
    """Work for a person, which a sender asks for in place of sending: a call, a visit, a message by a hand-held phone.

    Without ``owner`` the lead's own rep gets it. It is due ``due_s`` seconds after it was made.
    """

    kind: str
    title: str
    content: str = ""
    owner: str = ""
    due_s: float = 86_400.0


Outcome = Literal["accepted", "refused", "retry_after", "unknown"]
Reach = Literal["message", "domain", "sender"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of one message.

    ``accepted``: the other side took it. ``refused``: it said no for good. ``retry_after``: it did not take it and may
    later (``retry_after_s``). ``unknown``: it may or may not have taken it; never sent again blindly.

    ``about`` says for whom a ``retry_after`` holds: this message (a mailbox is full), everybody at the recipient's
    domain (its server asks us to slow down), or all that the sender has (429, 421, no connection). Until
    ``retry_after_s`` is over nothing else of that reach is sent, and it counts as no try of this message.

    With ``task`` an accepted message is handed to a person: the task is made once, and counts as sent when it is done.
    """

    key: str
    outcome: Outcome
    provider_id: str = ""
    detail: str = ""
    retry_after_s: float | None = None
    about: Reach = "message"
    task: PersonTask | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """What a service posted to us. ``url`` is the address it posted to, ``at`` (naive UTC) when it came."""

    body: bytes
    headers: Mapping[str, str]
    at: datetime
    url: str = ""


Told = Literal["delivered", "bounce", "complaint", "open", "click", "unsubscribe", "reply"]
"""What a service tells of a message: it arrived, it came back, and what its reader did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEvent:
    """One thing that a service tells of one message; ``id`` is the same however often it is told.

    The message is known by our ``key``, by the service's own ``provider_id`` or by its ``message_id`` (RFC 5322); one
    of them is enough. ``said`` are the other server's or the person's own words. ``hard`` says of a bounce whether the
    address is wrong for good; None leaves that to the words. ``page`` is the link that was followed, ``agent`` the
    program that asked, and ``machine`` says that the service takes it for no person.
    """

    id: str
    kind: Told
    at: datetime
    recipient: str
    key: str = ""
    provider_id: str = ""
    message_id: str = ""
    hard: bool | None = None
    said: str = ""
    page: str = ""
    agent: str = ""
    machine: bool = False


ErpKind = Literal["customer", "product", "order", "invoice", "payment", "write_off", "credit_note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpCustomer:
    """A customer as the ERP needs it."""

    name: str
    tax_id: str = ""
    email: str = ""
    phone: str = ""
    street: str = ""
    city: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpProduct:
    """A product as the ERP needs it."""

    sku: str
    name: str
    unit: str = "unit"
    list_price: Decimal = Decimal(0)
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpOrderLine:
    """One line; ``amount`` is the net line total as quoted and must not be recomputed by the connector."""

    line_no: int
    product_key: str
    sku: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpOrder:
    """An order with its lines."""

    customer_key: str
    number: str
    ordered_on: date
    currency: str
    lines: tuple[ErpOrderLine, ...]
    payment_terms_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """Where a thing of ours lives in the ERP."""

    erp: str
    kind: ErpKind
    id: str
    number: str = ""
    state: str = ""
    etag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpInvoice:
    """An invoice as the ERP holds it. ``open_amount`` is what is still to be paid at ``changed_at``."""

    id: str
    number: str
    order_key: str
    customer_key: str
    invoiced_on: date
    due_on: date
    currency: str
    amount: Decimal
    open_amount: Decimal
    state: str
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpPayment:
    """Money received (or given back, when negative), for one invoice if ``invoice_id`` is set.

    ``reference`` is what the payer wrote.
    """

    id: str
    customer_key: str
    invoice_id: str
    paid_on: date
    currency: str
    amount: Decimal
    kind: Literal["payment", "write_off", "credit"]
    changed_at: datetime
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpOpenItem:
    """One open receivable, for reconciliation."""

    invoice_id: str
    number: str
    order_key: str
    due_on: date
    currency: str
    open_amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpRejection:
    """A row that the connector could not read: where it stands (file and row, or id) and why."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePage:
    """Invoices changed since a cursor, the cursor behind them, and the rows that could not be read."""

    invoices: tuple[ErpInvoice, ...]
    cursor: Cursor
    rejected: tuple[ErpRejection, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPage:
    """Payments changed since a cursor, the cursor behind them, and the rows that could not be read."""

    payments: tuple[ErpPayment, ...]
    cursor: Cursor
    rejected: tuple[ErpRejection, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpCapabilities:
    """What a connector can promise; the core adapts to it."""

    upsert_by_key: bool = False
    unique_key: bool = False
    batch: bool = False
    webhooks: bool = False
    partial_payment: bool = False
    write_off: bool = False
    page_max: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """The answer to "are you usable": facts to show, and problems that must be solved first."""

    facts: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFinding:
    """One thing that DNS says, or should say, about the mail of a domain.

    ``check`` is mx, spf, dkim, dmarc or alignment; ``name`` is the name that was asked for and ``record`` the answer;
    ``publish`` is what to publish, as ``NAME TYPE VALUE``, where that is known.
    """

    check: str
    verdict: Verdict
    name: str = ""
    record: str = ""
    detail: str = ""
    publish: str = ""
