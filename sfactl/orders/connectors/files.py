"""The ERP that is a folder: what we push becomes JSON files, what an accountant keeps is read from CSV files.

A document is named by our key, so that pushing it again finds it and makes nothing new.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

from sfactl.api.context import PluginContext
from sfactl.api.errors import DataError, Refused
from sfactl.api.records import (
    CheckReport,
    Cursor,
    ErpCapabilities,
    ErpCustomer,
    ErpInvoice,
    ErpKind,
    ErpOpenItem,
    ErpOrder,
    ErpPayment,
    ErpProduct,
    ErpRejection,
    InvoicePage,
    PaymentPage,
    Ref,
)
from sfactl.orders.connectors.books import Book, Books, FilesSettings
from sfactl.orders.connectors.outbox import Outbox

__all__ = ["FilesConnector", "FilesSettings"]

FOLDERS: Mapping[ErpKind, str] = {
    "customer": "customers",
    "product": "products",
    "order": "orders",
    "payment": "payments",
    "write_off": "write-offs",
    "credit_note": "credits",
}

T = TypeVar("T", ErpInvoice, ErpPayment)


class FilesConnector:
    """Implements `sfactl.api.protocols.ErpConnector` over a folder."""

    def __init__(self, settings: FilesSettings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context
        self._folder = context.workspace / settings.folder
        self._outboxes = {kind: Outbox(self._folder / name) for kind, name in FOLDERS.items()}
        self._books = Books(settings, self._folder, self._order_key)

    def check(self) -> CheckReport:
        """Where the folder is, how many rows its lists have, and which rows cannot be read."""
        made = "" if self._folder.is_dir() else " (not there yet; the first push makes it)"
        facts = {"folder": f"{self._folder}{made}"}
        problems = []
        for name, read in (
            (self._settings.invoices, self._books.invoices),
            (self._settings.payments, self._books.payments),
        ):
            try:
                rows = read(self._context.now()).rows
            except DataError as err:
                problems.append(err.message)
                continue
            bad = [r for r in rows if isinstance(r, ErpRejection)]
            facts[name] = f"{len(rows)} rows" if (self._folder / name).is_file() else "not there yet"
            problems += [f"{b.where}: {b.reason}" for b in bad]
        facts["orders"] = f"{sum(1 for _ in self._outboxes['order'].folder.glob('*.json'))} files"
        return CheckReport(facts=facts, problems=tuple(problems))

    def capabilities(self) -> ErpCapabilities:
        """A key is a file name, so it is unique."""
        return ErpCapabilities(
            upsert_by_key=True,
            unique_key=True,
            partial_payment=True,
            write_off=True,
            page_max=self._settings.rows_per_page,
        )

    def upsert_customer(self, key: str, customer: ErpCustomer, *, dry_run: bool = False) -> Ref:
        """Write ``customers/KEY.json``."""
        return self._put("customer", key, customer.name, "active", dataclasses.asdict(customer), dry_run=dry_run)

    def upsert_product(self, key: str, product: ErpProduct, *, dry_run: bool = False) -> Ref:
        """Write ``products/KEY.json``."""
        return self._put("product", key, product.sku, "active", dataclasses.asdict(product), dry_run=dry_run)

    def push_order(self, key: str, order: ErpOrder, *, dry_run: bool = False) -> Ref:
        """Write ``orders/KEY.json`` unless it is there. Raises `Refused` where it is there with other content."""
        document = _plain(dataclasses.asdict(order))
        there = self._outboxes["order"].read(key)
        if there is None:
            return self._put("order", key, order.number, "confirmed", document, dry_run=dry_run)
        if any(there.get(name) != value for name, value in document.items()):
            raise Refused(
                f"order {order.number} is there already with other content: {self._outboxes['order'].path(key)}"
            )
        return self._ref("order", key, there)

    def find(self, kind: ErpKind, key: str) -> Sequence[Ref]:
        """The document that carries ``key``, if it is there."""
        outbox = self._outboxes.get(kind)
        there = outbox.read(key) if outbox else None
        return [] if there is None else [self._ref(kind, key, there)]

    def cancel_order(self, key: str, *, dry_run: bool = False) -> Ref:
        """Set the state in ``orders/KEY.json`` to cancelled. Raises `Refused` where there is none."""
        there = self._outboxes["order"].read(key)
        if there is None:
            raise Refused(f"there is no order {key}")
        there["state"] = "cancelled"
        if not dry_run:
            self._outboxes["order"].write(key, there)
        return self._ref("order", key, there)

    def list_invoices(self, cursor: Cursor | None) -> Iterator[InvoicePage]:
        """The list of invoices where its file changed since ``cursor``."""
        book = self._books.invoices(self._context.now())
        for rows, rejected, mark in _pages(book, cursor, self._settings.rows_per_page):
            invoices = tuple(r for r in rows if isinstance(r, ErpInvoice))
            yield InvoicePage(invoices=invoices, cursor=mark, rejected=rejected)

    def list_payments(self, cursor: Cursor | None) -> Iterator[PaymentPage]:
        """The list of payments where its file changed since ``cursor``."""
        book = self._books.payments(self._context.now())
        for rows, rejected, mark in _pages(book, cursor, self._settings.rows_per_page):
            payments = tuple(r for r in rows if isinstance(r, ErpPayment))
            yield PaymentPage(payments=payments, cursor=mark, rejected=rejected)

    def list_open_items(self, as_of: date) -> Iterator[ErpOpenItem]:
        """What the accountant's lists say is open: the column ``open_amount`` for today, else amount less payments."""
        now = self._context.now()
        stated = self._states_open_amounts() and as_of >= now.date()
        paid: dict[str, Decimal] = defaultdict(Decimal)
        for row in self._books.payments(now).rows:
            if isinstance(row, ErpPayment) and row.paid_on <= as_of:
                paid[row.invoice_id] += row.amount
        for row in self._books.invoices(now).rows:
            if not isinstance(row, ErpInvoice) or row.state == "cancelled" or row.invoiced_on > as_of:
                continue
            still = row.open_amount if stated else row.amount - paid[row.id]
            if still:
                yield ErpOpenItem(
                    invoice_id=row.id,
                    number=row.number,
                    order_key=row.order_key,
                    due_on=row.due_on,
                    currency=row.currency,
                    open_amount=still,
                )

    def record_payment(self, key: str, invoice_id: str, amount: Decimal, *, dry_run: bool = False) -> Ref:
        """Leave a note for the accountant in ``payments/KEY.json``."""
        return self._put("payment", key, "", "requested", {"invoice_id": invoice_id, "amount": amount}, dry_run=dry_run)

    def write_off(self, key: str, invoice_id: str, amount: Decimal, reason: str, *, dry_run: bool = False) -> Ref:
        """Leave a note for the accountant in ``write-offs/KEY.json``."""
        content = {"invoice_id": invoice_id, "amount": amount, "reason": reason}
        return self._put("write_off", key, "", "requested", content, dry_run=dry_run)

    def credit(self, key: str, invoice_id: str, *, dry_run: bool = False) -> Ref:
        """Leave a note for the accountant in ``credits/KEY.json``."""
        return self._put("credit_note", key, "", "requested", {"invoice_id": invoice_id}, dry_run=dry_run)

    def _put(
        self, kind: ErpKind, key: str, number: str, state: str, content: Mapping[str, Any], *, dry_run: bool
    ) -> Ref:
        document = {"key": key, "number": number, "state": state, **_plain(content)}
        if not dry_run:
            self._outboxes[kind].write(key, document)
        return self._ref(kind, key, document)

    def _ref(self, kind: ErpKind, key: str, document: Mapping[str, Any]) -> Ref:
        name = self._outboxes[kind].path(key).stem
        return Ref(
            erp="files",
            kind=kind,
            id=name,
            number=str(document.get("number", "")),
            state=str(document.get("state", "")),
        )

    def _states_open_amounts(self) -> bool:
        from sfactl.engine.delimited import Row, read_rows

        path = self._folder / self._settings.invoices
        if not path.is_file():
            return False
        column = self._settings.invoice_columns.get("open_amount", "open_amount")
        rows = read_rows(path, encoding=self._settings.encoding, delimiter=self._settings.delimiter)
        return any(isinstance(row, Row) and row.values.get(column) for row in rows)

    def _order_key(self, text: str) -> str:
        """Our key for an order that the accountant names by key or by number; other words stay as they are."""
        return text if text.startswith("sfactl:") else self._keys_by_number.get(text, text)

    @cached_property
    def _keys_by_number(self) -> Mapping[str, str]:
        return {str(d.get("number", "")): str(d.get("key", "")) for d in self._outboxes["order"].documents()}


def _pages(
    book: Book, cursor: Cursor | None, size: int
) -> Iterator[tuple[Sequence[object], tuple[ErpRejection, ...], Cursor]]:
    """Pages of a list behind the cursor. The cursor holds the file's fingerprint and how many rows were taken."""
    same = cursor is not None and cursor.get("fingerprint") == book.fingerprint
    start = int(cursor["next"]) if cursor is not None and same else 0
    for first in range(start, len(book.rows), size):
        rows = book.rows[first : first + size]
        rejected = tuple(r for r in rows if isinstance(r, ErpRejection))
        yield rows, rejected, {"fingerprint": book.fingerprint, "next": first + len(rows)}


def _plain(value: Any) -> Any:
    """JSON values: decimals as text without loss, dates in ISO form."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, date) else value
