"""The accountant's lists of invoices and payments: CSV files as an office writes them, read strictly.

Each row becomes an invoice or a payment, or is rejected with its row number and the reason. Nothing is guessed: decimal
comma, date form, encoding and foreign column names are settings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeVar

from sfactl.api.errors import DataError
from sfactl.api.records import ErpInvoice, ErpPayment, ErpRejection
from sfactl.engine.delimited import BadRow, Row, parse_day, parse_number, read_rows
from sfactl.engine.money import CurrencyError, minor_digits

INVOICE_COLUMNS = (
    "id",
    "number",
    "order",
    "customer",
    "invoiced_on",
    "due_on",
    "currency",
    "amount",
    "open_amount",
    "state",
)
PAYMENT_COLUMNS = ("id", "invoice", "customer", "paid_on", "currency", "amount", "kind", "reference")

PaymentKind = Literal["payment", "write_off", "credit"]
KINDS: Mapping[str, PaymentKind] = {
    "": "payment",
    "payment": "payment",
    "write_off": "write_off",
    "write-off": "write_off",
    "credit": "credit",
}
CANCELLED = frozenset({"cancelled", "canceled", "void"})

T = TypeVar("T", ErpInvoice, ErpPayment)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesSettings:
    """Settings of the connector ``files``, in ``erp/NAME.toml``.

    ``folder`` is relative to the workspace. ``dates`` are the date forms in use (strptime), the first that fits counts.
    ``invoice_columns`` and ``payment_columns`` map our column names to those of the file, where they differ.
    """

    folder: Path = Path("erp-files")
    invoices: str = "invoices.csv"
    payments: str = "payments.csv"
    encoding: str = "utf-8"
    delimiter: str = ""
    decimal_comma: bool = False
    dates: tuple[str, ...] = ("%Y-%m-%d",)
    currency: str = ""
    invoice_columns: Mapping[str, str] = field(default_factory=dict)
    payment_columns: Mapping[str, str] = field(default_factory=dict)
    rows_per_page: int = 500

    def __post_init__(self) -> None:
        for key, given, known in (
            ("invoice_columns", self.invoice_columns, INVOICE_COLUMNS),
            ("payment_columns", self.payment_columns, PAYMENT_COLUMNS),
        ):
            if unknown := sorted(set(given) - set(known)):
                raise ValueError(f"{key}: unknown column {unknown[0]!r}; known: {', '.join(known)}")
        if self.rows_per_page < 1:
            raise ValueError(f"rows_per_page: {self.rows_per_page} is less than 1")
        if self.currency:
            minor_digits(self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """One list as read: what could be taken over, what could not, and the fingerprint of the file."""

    rows: tuple[ErpInvoice | ErpPayment | ErpRejection, ...]
    fingerprint: str


class Books:
    """Reads the two lists. ``order_key`` turns what stands in the column ``order`` into our key."""

    def __init__(self, settings: FilesSettings, folder: Path, order_key: Callable[[str], str]) -> None:
        self._settings = settings
        self._folder = folder
        self._order_key = order_key

    def invoices(self, seen_at: datetime) -> Book:
        """The list of invoices; a missing file is an empty list."""
        return self._read(self._settings.invoices, lambda row: self._invoice(row, seen_at))

    def payments(self, seen_at: datetime) -> Book:
        """The list of payments; a missing file is an empty list."""
        return self._read(self._settings.payments, lambda row: self._payment(row, seen_at))

    def fingerprints(self) -> Mapping[str, str]:
        """Fingerprint by file name, for the files that are there."""
        names = (self._settings.invoices, self._settings.payments)
        return {n: _fingerprint(self._folder / n) for n in names if (self._folder / n).is_file()}

    def _read(self, name: str, parse: Callable[[Row], T]) -> Book:
        path = self._folder / name
        if not path.is_file():
            return Book(rows=(), fingerprint="")
        before = _fingerprint(path)
        rows = tuple(_without_doubles(self._parsed(path, parse), name))
        if _fingerprint(path) != before:
            raise DataError(f"{path}: was changed while it was read", hint="Run the command again.")
        return Book(rows=rows, fingerprint=before)

    def _parsed(self, path: Path, parse: Callable[[Row], T]) -> Iterator[tuple[int, T | ErpRejection]]:
        rows = read_rows(path, encoding=self._settings.encoding, delimiter=self._settings.delimiter)
        for row in rows:
            where = f"{path.name} row {row.number}"
            if isinstance(row, BadRow):
                yield row.number, ErpRejection(where=where, reason=row.reason)
                continue
            try:
                yield row.number, parse(row)
            except (ValueError, CurrencyError) as err:
                yield row.number, ErpRejection(where=where, reason=str(err))

    def _invoice(self, row: Row, seen_at: datetime) -> ErpInvoice:
        cells = _Cells(row, self._settings.invoice_columns, self._settings)
        number = cells.text("number")
        id_ = cells.text("id") or number
        if not id_:
            raise ValueError("has neither id nor number")
        amount, currency = cells.money("amount"), cells.currency()
        invoiced_on, due_on = cells.day("invoiced_on"), cells.day("due_on")
        if due_on < invoiced_on:
            raise ValueError(f"due_on {due_on} is before invoiced_on {invoiced_on}")
        order = cells.text("order")
        return ErpInvoice(
            id=id_,
            number=number or id_,
            order_key=self._order_key(order) if order else "",
            customer_key=cells.text("customer"),
            invoiced_on=invoiced_on,
            due_on=due_on,
            currency=currency,
            amount=amount,
            open_amount=cells.money("open_amount") if cells.text("open_amount") else amount,
            state="cancelled" if cells.text("state").lower() in CANCELLED else "posted",
            changed_at=seen_at,
        )

    def _payment(self, row: Row, seen_at: datetime) -> ErpPayment:
        cells = _Cells(row, self._settings.payment_columns, self._settings)
        id_, kind = cells.text("id"), cells.text("kind").lower()
        if not id_:
            raise ValueError("has no id")
        if kind not in KINDS:
            raise ValueError(f"kind {kind!r} is not one of payment, write_off, credit")
        return ErpPayment(
            id=id_,
            customer_key=cells.text("customer"),
            invoice_id=cells.text("invoice"),
            paid_on=cells.day("paid_on"),
            currency=cells.currency(),
            amount=cells.money("amount"),
            kind=KINDS[kind],
            changed_at=seen_at,
            reference=cells.text("reference"),
        )


@dataclass(frozen=True, slots=True)
class _Cells:
    row: Row
    names: Mapping[str, str]
    settings: FilesSettings

    def text(self, column: str) -> str:
        return self.row.values.get(self.names.get(column, column), "")

    def money(self, column: str) -> Decimal:
        text = self.text(column)
        if not text:
            raise ValueError(f"{column} is empty")
        try:
            amount = parse_number(text, decimal_comma=self.settings.decimal_comma)
        except ValueError as err:
            raise ValueError(f"{column}: {err}") from None
        if amount != amount.quantize(Decimal("0.0001")) or abs(amount) >= 10**14:
            raise ValueError(f"{column}: {text!r} has more digits than an amount may have")
        return amount

    def day(self, column: str) -> date:
        text = self.text(column)
        if not text:
            raise ValueError(f"{column} is empty")
        try:
            return parse_day(text, self.settings.dates)
        except ValueError as err:
            raise ValueError(f"{column}: {err}") from None

    def currency(self) -> str:
        code = self.text("currency") or self.settings.currency
        if not code:
            raise ValueError("currency is empty, and the settings name none")
        minor_digits(code)
        return code


def _without_doubles(rows: Iterator[tuple[int, T | ErpRejection]], name: str) -> Iterator[T | ErpRejection]:
    """Pass each id once. A second row of an id is a repetition if it says the same, else it is rejected."""
    first: dict[str, tuple[int, T]] = {}
    for number, row in rows:
        if isinstance(row, ErpRejection):
            yield row
        elif row.id not in first:
            first[row.id] = (number, row)
            yield row
        elif first[row.id][1] != row:
            reason = f"id {row.id} stands in row {first[row.id][0]} already, with other values"
            yield ErpRejection(where=f"{name} row {number}", reason=reason)


def _fingerprint(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as err:
        raise DataError(f"{path}: cannot be read ({err.strerror})") from None
