"""What the target of each offer must look like. All batch-shaped; tables are Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from sfactl.api.records import (
    CheckReport,
    Cursor,
    DomainFinding,
    ErpCapabilities,
    ErpCustomer,
    ErpKind,
    ErpOpenItem,
    ErpOrder,
    ErpProduct,
    IntentLabel,
    InvoicePage,
    MailPage,
    Message,
    MessageEvent,
    Page,
    PaymentPage,
    Posting,
    Receipt,
    Ref,
    SqlScore,
)

if TYPE_CHECKING:
    import pyarrow as pa


@runtime_checkable
class LeadSource(Protocol):
    """A place that leads come from."""

    def check(self) -> CheckReport:
        """Say whether the source answers and what it has, without pulling."""
        ...

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """Yield pages of rows that are new or changed since ``cursor`` (None: from the start).

        After each page the core commits rows and cursor together, so a crash resumes after the last committed page.
        A page may repeat rows already seen (the core matches them by key) but must not skip any.
        """
        ...


@runtime_checkable
class RewindableSource(Protocol):
    """A lead source that can begin at a moment; a source may leave this out."""

    def cursor_at(self, at: datetime, cursor: Cursor | None) -> Cursor:
        """The cursor from which `LeadSource.pull` brings all that is new or changed since ``at`` (UTC, no zone).

        ``cursor`` is the one that was reached. Raises `UserError` where the settings do not allow it.
        """
        ...


@runtime_checkable
class SqlScoring(Protocol):
    """A score that is one statement over the datasets."""

    def statement(self) -> SqlScore:
        """The statement; see `SqlScore` for the columns it answers with."""
        ...


@runtime_checkable
class TableScoring(Protocol):
    """A score computed in Python from a table of leads."""

    @property
    def query(self) -> str:
        """A SELECT over the datasets that gives the input of `score`; it must have a column ``lead_id``."""
        ...

    def score(self, table: pa.Table) -> pa.Table:
        """Answer rows (lead_id, rule, points, detail), any number a lead; their sum is the score."""
        ...


@runtime_checkable
class LearningScoring(Protocol):
    """A score that is learned from leads whose outcome is known, and pinned as parameters made of JSON values."""

    def train(self, table: pa.Table, features: Sequence[str], *, target: str, seed: int) -> Mapping[str, Any]:
        """Learn from ``table`` and answer all that `score` needs, as JSON values.

        Each of the columns ``features`` is text, double or boolean, with NULL where a lead lacks the value; the boolean
        column ``target`` says who was won. Both outcomes occur, and no feature is constant. The same table and ``seed``
        must give the same parameters. Raise `DataError` where nothing can be learned.
        """
        ...

    def score(self, table: pa.Table, parameters: Mapping[str, Any]) -> pa.Table:
        """Answer rows (lead_id, rule, points, detail) with what `train` learned; see `sfactl.api.odds.reasons`.

        ``table`` has lead_id and the features. The points of each lead, added in the order of the rows, are its chance
        to be won in percent. They depend on the lead's own row only. Raise `ConfigError` for parameters of another
        format.
        """
        ...


@runtime_checkable
class TouchpointSender(Protocol):
    """Sends messages of one channel."""

    def check(self) -> CheckReport:
        """Say whether the receiver can be reached, without sending anything."""
        ...

    def send(self, messages: Sequence[Message]) -> Iterable[Receipt]:
        """Send each message at most once and yield one receipt for each, as soon as it is known, in any order.

        An exception means that all messages without a receipt so far are unknown.
        """
        ...

    def close(self) -> None:
        """Let go of connections. Called once, also after an error."""
        ...


@runtime_checkable
class ReceiptLookup(Protocol):
    """A sender with the capability ``lookup``."""

    def lookup(self, keys: Sequence[str]) -> Iterable[Receipt]:
        """What became of these keys; a key the receiver has never seen gets ``retry_after`` with 0 seconds."""
        ...


@runtime_checkable
class KeyMemory(Protocol):
    """A sender that knows for how long its receiver takes a message with the same key once, whatever it is sent."""

    @property
    def remembers_s(self) -> float:
        """Seconds since a key was first seen; ``inf`` for ever, 0 not at all.

        Within that time a message whose outcome is unknown is sent again; after it, it is held for a person.
        """
        ...


@runtime_checkable
class EventReader(Protocol):
    """A sender with the capability ``events``: its service posts what became of messages."""

    @property
    def listens(self) -> bool:
        """Whether its file says how to tell genuine postings; the collector takes them then."""
        ...

    def verify(self, posting: Posting) -> None:
        """Raise `PolicyError` for what the service has not posted; `ConfigError` where the file has no key to tell."""
        ...

    def events(self, body: bytes, at: datetime) -> Sequence[MessageEvent]:
        """What a posting tells; what it tells of other things is left out. Raises `DataError` for what is no posting.

        ``at`` is when it came, for a service that says no time; ids must not hang on it: an event that is told again
        has the same one. A file of postings that were kept is read with this, too.
        """
        ...


@runtime_checkable
class Mailbox(Protocol):
    """A place where mail comes in: bounces, complaints and replies. Reading it changes nothing there."""

    def check(self) -> CheckReport:
        """Say whether the mailbox can be read, without reading it."""
        ...

    def fetch(self, cursor: Cursor | None) -> Iterator[MailPage]:
        """Yield pages of the mails that came in since ``cursor`` (None: from the start).

        After each page the core commits what the mails say together with the cursor. A page may repeat mails already
        seen (what they say is known by their content) but must not skip any. Raises `AuthError` or `TryLater`.
        """
        ...

    def close(self) -> None:
        """Let go of connections. Called once, also after an error."""
        ...


@runtime_checkable
class DomainChecker(Protocol):
    """A sender with the capability ``domains``."""

    def check_domain(self, domain: str, selectors: Sequence[str] = ()) -> Sequence[DomainFinding]:
        """What DNS says about mail that this sender sends From ``domain`` (in its ASCII form).

        ``selectors`` are of DKIM keys that others sign with. Raises `TryLater` where DNS does not answer.
        """
        ...


@runtime_checkable
class MailSigner(Protocol):
    """A sender with the capability ``signs``."""

    def signatures(self, mail: bytes, author: str, domain: str = "") -> tuple[bytes, Sequence[str]]:
        """The headers by which a domain answers for ``mail``, and the keys in words.

        The domain (in its ASCII form) is ``domain``, else the settings', else ``author``, which the mail is from.
        ``mail`` is as it travels, with CRLF. Raises `ConfigError` without a key, `DataError` for what is no e-mail.
        """
        ...


@runtime_checkable
class ErpConnector(Protocol):
    """The verbs of an ERP. Each takes our key; the core owns retry, ledger and cursors.

    Errors: `AuthError`, `ConfigError`, `Refused`, `NeedsConfirmation`, `Conflict`, `RateLimited`, `Transient`,
    `Ambiguous` (answer lost after sending), `ServerFault`. With ``dry_run`` nothing is written on the other side.
    """

    def check(self) -> CheckReport:
        """Version, company, currency, zone, clock skew, rights, and key lengths."""
        ...

    def capabilities(self) -> ErpCapabilities:
        """What this ERP can promise."""
        ...

    def upsert_customer(self, key: str, customer: ErpCustomer, *, dry_run: bool = False) -> Ref:
        """Create or update the customer that carries ``key``."""
        ...

    def upsert_product(self, key: str, product: ErpProduct, *, dry_run: bool = False) -> Ref:
        """Create or update the product that carries ``key``."""
        ...

    def push_order(self, key: str, order: ErpOrder, *, dry_run: bool = False) -> Ref:
        """Create and confirm the order; where one with ``key`` exists, go on from the state it is in."""
        ...

    def find(self, kind: ErpKind, key: str) -> Sequence[Ref]:
        """All documents of ``kind`` that carry ``key``; more than one means a duplicate for a person to solve."""
        ...

    def cancel_order(self, key: str, *, dry_run: bool = False) -> Ref:
        """Cancel the order that carries ``key``."""
        ...

    def list_invoices(self, cursor: Cursor | None) -> Iterator[InvoicePage]:
        """Invoices new or changed since ``cursor``; may repeat some, must not miss any."""
        ...

    def list_payments(self, cursor: Cursor | None) -> Iterator[PaymentPage]:
        """Payments, write-offs and credits new or changed since ``cursor``."""
        ...

    def list_open_items(self, as_of: date) -> Iterator[ErpOpenItem]:
        """Every receivable open on ``as_of``, for reconciliation."""
        ...

    def record_payment(self, key: str, invoice_id: str, amount: Decimal, *, dry_run: bool = False) -> Ref:
        """Enter a payment against an invoice."""
        ...

    def write_off(self, key: str, invoice_id: str, amount: Decimal, reason: str, *, dry_run: bool = False) -> Ref:
        """Write off a part of an invoice."""
        ...

    def credit(self, key: str, invoice_id: str, *, dry_run: bool = False) -> Ref:
        """Credit an invoice in full."""
        ...


@runtime_checkable
class PriceLayer(Protocol):
    """A pure step of the price waterfall: the same lines give the same steps."""

    def adjust(self, lines: pa.Table) -> pa.Table:
        """Take (line_no, sku, quantity, price, currency, priced_on) and answer (line_no, rule, amount).

        ``amount`` is added to the line's price per unit; a line without a row is left as it is.
        """
        ...


@runtime_checkable
class IntentExtractor(Protocol):
    """Finds intents in texts.

    The core asks about a text once: the answer is kept under the extractor's version and the text's hash.
    """

    def extract(self, table: pa.Table) -> pa.Table:
        """Take (utterance_id, text, language) and answer (utterance_id, label, confidence 0..1).

        An utterance without a row has none of the intents. The answer may have more columns: ``error`` (text; no answer
        was got for this utterance, label is null, and it is asked again by a later run), ``model``, ``input_tokens``,
        ``output_tokens`` and ``cost`` (with one row of the utterance; label may be null there).
        """
        ...


@runtime_checkable
class LabelledExtractor(Protocol):
    """An intent extractor that is told which labels there are, and says what its answers depend on."""

    def use_labels(self, labels: Sequence[IntentLabel]) -> str:
        """Called once before `IntentExtractor.extract`. Answers a version: other text means that answers may differ."""
        ...


@runtime_checkable
class QueryEngine(Protocol):
    """Runs one portable statement over Parquet files."""

    def run(self, sql: str, files: Mapping[str, Sequence[Path]], params: Mapping[str, object], into: Path) -> int:
        """Write the result of ``sql`` as Parquet into the folder ``into``; answers the number of rows.

        ``files`` maps each name used in the statement to its Parquet files.
        """
        ...


@runtime_checkable
class Enricher(Protocol):
    """Adds facts from outside."""

    def enrich(self, table: pa.Table) -> pa.Table:
        """Take (id, and the fields the offer asks for) and answer rows (id, field, value), each field of an id once.

        A value is text, or what becomes text; it is cleaned like an imported one. ``latitude`` and ``longitude``, in
        degrees, may be answered too. A further column ``place`` (text) may say where a fact stands, for messages.
        """
        ...


@runtime_checkable
class ReportRenderer(Protocol):
    """Renders a report."""

    def render(self, title: str, tables: Mapping[str, pa.Table], into: Path) -> None:
        """Write ``tables`` by their headings as one document to the file ``into``."""
        ...


@runtime_checkable
class RecordMatcher(Protocol):
    """Weighs pairs of records that may be the same."""

    def match(self, records: pa.Table, *, linked: bool, seed: int) -> pa.Table:
        """Answer rows (a, b, probability, weight, reasons) for the pairs that may be the same, each pair once.

        ``records`` has ``id`` and ``source``, and folded texts, NULL where nothing is known: given_name, family_name,
        company, email, phone, birth_date (YYYYMMDD), tax_id, website, street, city, postal_code, and further columns by
        their own names; columns that nobody fills are left out. With ``linked`` there are two sources, each free of
        duplicates, and only pairs across them are wanted. ``a`` < ``b`` are ids; ``weight`` is in bits, and
        ``probability`` is what they stand for; ``reasons`` is a list of (field, level, bits) that add up to the weight.
        The same records in any order and the same ``seed`` give the same pairs.
        """
        ...
