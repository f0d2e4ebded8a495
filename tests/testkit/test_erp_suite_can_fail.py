"""Each test of the ERP suite passes for a good ERP and fails for one that does one thing wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sfactl.api.errors import Refused
from sfactl.api.records import (
    CheckReport,
    ErpCapabilities,
    ErpCustomer,
    ErpInvoice,
    ErpOpenItem,
    ErpOrder,
    ErpPayment,
    ErpProduct,
    InvoicePage,
    PaymentPage,
    Ref,
)
from sfactl.testkit import ErpConnectorSuite

DAY = date(2026, 11, 21)


@dataclass
class Books:
    """What an ERP holds: documents by kind and key, invoices and payments in the order of their changes."""

    documents: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    orders: dict[str, ErpOrder] = field(default_factory=dict)
    invoices: list[ErpInvoice] = field(default_factory=list)
    payments: dict[str, ErpPayment] = field(default_factory=dict)
    clock: int = 0

    def now(self) -> datetime:
        self.clock += 1
        return datetime(2026, 11, 21) + timedelta(seconds=self.clock)


class Erp:
    """A good ERP; each subclass below does one thing wrong."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def check(self) -> Any:
        return CheckReport()

    def capabilities(self) -> Any:
        return ErpCapabilities(upsert_by_key=True, partial_payment=True)

    def upsert_customer(self, key: str, customer: ErpCustomer, *, dry_run: bool = False) -> Ref:
        return self.document("customer", key, dry_run)

    def upsert_product(self, key: str, product: ErpProduct, *, dry_run: bool = False) -> Ref:
        return self.document("product", key, dry_run)

    def push_order(self, key: str, order: ErpOrder, *, dry_run: bool = False) -> Ref:
        self.known(order)
        if not dry_run:
            self.books.orders.setdefault(key, order)
        return self.document("order", key, dry_run)

    def known(self, order: ErpOrder) -> None:
        if ("customer", order.customer_key) not in self.books.documents:
            raise Refused(f"there is no customer {order.customer_key}")

    def document(self, kind: Any, key: str, dry_run: bool) -> Ref:
        ids = self.books.documents.get((kind, key), [])
        if not ids:
            ids = [f"{kind}-{len(self.books.documents) + 1}"]
            if not dry_run:
                self.books.documents[kind, key] = ids
        return Ref(erp="books", kind=kind, id=ids[0])

    def find(self, kind: Any, key: str) -> list[Ref]:
        return [Ref(erp="books", kind=kind, id=i) for i in self.books.documents.get((kind, key), [])]

    def cancel_order(self, key: str, *, dry_run: bool = False) -> Ref:
        return self.find("order", key)[0]

    def list_invoices(self, cursor: Any) -> Iterator[InvoicePage]:
        start = (cursor or {}).get("seen", 0)
        for n, invoice in enumerate(self.books.invoices[start:], start + 1):
            yield InvoicePage(invoices=(invoice,), cursor={"seen": n})

    def list_payments(self, cursor: Any) -> Iterator[PaymentPage]:
        yield PaymentPage(payments=tuple(self.books.payments.values()), cursor={})

    def list_open_items(self, as_of: date) -> Iterator[ErpOpenItem]:
        for invoice in {i.id: i for i in self.books.invoices}.values():
            yield ErpOpenItem(
                invoice_id=invoice.id,
                number=invoice.number,
                order_key=invoice.order_key,
                due_on=invoice.due_on,
                currency=invoice.currency,
                open_amount=invoice.open_amount,
            )

    def record_payment(self, key: str, invoice_id: str, amount: Decimal, *, dry_run: bool = False) -> Ref:
        invoice = {i.id: i for i in self.books.invoices}[invoice_id]
        if not dry_run and key not in self.books.payments:
            at = self.books.now()
            self.books.payments[key] = ErpPayment(
                id=key,
                customer_key=invoice.customer_key,
                invoice_id=invoice_id,
                paid_on=DAY,
                currency=invoice.currency,
                amount=amount,
                kind="payment",
                changed_at=at,
            )
            self.books.invoices.append(replace(invoice, open_amount=invoice.open_amount - amount, changed_at=at))
        return Ref(erp="books", kind="payment", id=key)

    def write_off(self, key: str, invoice_id: str, amount: Decimal, reason: str, *, dry_run: bool = False) -> Ref:
        raise Refused("these books have no write-offs")

    def credit(self, key: str, invoice_id: str, *, dry_run: bool = False) -> Ref:
        raise Refused("these books have no credit notes")

    def bill(self, order: Ref) -> None:
        """Invoice the order, as a user of the ERP would."""
        [key] = [key for (kind, key), ids in self.books.documents.items() if (kind, order.id) == ("order", ids[0])]
        amount = sum((line.amount for line in self.books.orders[key].lines), Decimal(0))
        self.books.invoices.append(self.billed(key, amount))

    def billed(self, key: str, amount: Decimal) -> ErpInvoice:
        order = self.books.orders[key]
        return ErpInvoice(
            id=f"I-{key}",
            number="I-1",
            order_key=key,
            customer_key=order.customer_key,
            invoiced_on=DAY,
            due_on=DAY + timedelta(days=30),
            currency=order.currency,
            amount=amount,
            open_amount=amount,
            state="posted",
            changed_at=self.books.now(),
        )


class Complains(Erp):
    def check(self) -> Any:
        return CheckReport(problems=("no",))


class LosesKeys(Erp):
    def find(self, kind: Any, key: str) -> list[Ref]:
        return []


class FindsAnything(Erp):
    def find(self, kind: Any, key: str) -> list[Ref]:
        return super().find(kind, key) or [Ref(erp="books", kind=kind, id="other")]


class Doubles(Erp):
    def push_order(self, key: str, order: ErpOrder, *, dry_run: bool = False) -> Ref:
        first = super().push_order(key, order, dry_run=dry_run)
        again = self.books.documents.setdefault(("order", key), [])
        again.append(f"{first.id}-{len(again)}")
        return replace(first, id=again[-1])


class MakesAnother(Erp):
    def upsert_customer(self, key: str, customer: ErpCustomer, *, dry_run: bool = False) -> Ref:
        if not dry_run:
            self.books.documents["customer", key] = [f"customer-{self.books.now()}"]
        return super().upsert_customer(key, customer, dry_run=dry_run)


class NotSoDry(Erp):
    def document(self, kind: Any, key: str, dry_run: bool) -> Ref:
        return super().document(kind, key, False)


class SellsToAnybody(Erp):
    def known(self, order: ErpOrder) -> None:
        pass


class CancelsOnce(Erp):
    def cancel_order(self, key: str, *, dry_run: bool = False) -> Ref:
        ids = self.books.documents["order", key]
        ref = Ref(erp="books", kind="order", id=ids[0])
        ids[0] = f"{ids[0]}-cancelled"
        return ref


class Invents(Erp):
    def list_open_items(self, as_of: date) -> Iterator[ErpOpenItem]:
        yield ErpOpenItem(invoice_id="I-0", number="", order_key="", due_on=DAY, currency="USD", open_amount=Decimal(1))


class Recomputes(Erp):
    def billed(self, key: str, amount: Decimal) -> ErpInvoice:
        lines = self.books.orders[key].lines
        again = sum((line.quantity * round(line.unit_price, 2) for line in lines), Decimal(0))
        return super().billed(key, again)


class PaysTwice(Erp):
    def record_payment(self, key: str, invoice_id: str, amount: Decimal, *, dry_run: bool = False) -> Ref:
        made = super().record_payment(f"{key}-{len(self.books.payments)}", invoice_id, amount, dry_run=dry_run)
        return replace(made, id=key)


class PaysWhenDry(Erp):
    def record_payment(self, key: str, invoice_id: str, amount: Decimal, *, dry_run: bool = False) -> Ref:
        return super().record_payment(key, invoice_id, amount)


class ForgetsChanges(Erp):
    def list_invoices(self, cursor: Any) -> Iterator[InvoicePage]:
        if cursor is None:
            yield from super().list_invoices(None)


def call(erp: type, test: str, *, books: Books | None = None) -> None:
    """Run one test of the suite against ``erp``, as pytest would."""
    kept = books or Books()

    class Suite(ErpConnectorSuite):
        def invoice(self, connector: Any, order: Ref) -> None:
            connector.bill(order)

    def make() -> Any:
        return erp(kept)

    suite, method = Suite(), getattr(Suite, test)
    wants = method.__code__.co_varnames[1 : method.__code__.co_argcount]
    given: dict[str, Any] = {"make": make}
    if "erp" in wants:
        given["erp"] = make()
        given["erp"].upsert_customer("sfactl:test:customer:1", suite.customer())
        given["erp"].upsert_product("sfactl:test:product:LX-300", ErpProduct(sku="LX-300", name="Laser"))
    method(suite, **{name: given[name] for name in wants})


TESTS = [name for name in vars(ErpConnectorSuite) if name.startswith("test_")]


@pytest.mark.parametrize("test", TESTS)
def test_a_good_erp_passes(test: str) -> None:
    call(Erp, test)


BAD = [
    (object, "test_it_is_a_connector"),
    (Complains, "test_check_answers_without_problems"),
    (LosesKeys, "test_our_keys_are_kept"),
    (FindsAnything, "test_an_unknown_key_is_found_nowhere"),
    (Doubles, "test_a_repeat_changes_nothing"),
    (MakesAnother, "test_an_update_keeps_the_document"),
    (NotSoDry, "test_a_dry_run_writes_nothing"),
    (SellsToAnybody, "test_an_order_of_nobody_is_refused"),
    (CancelsOnce, "test_a_cancelled_order_stays_cancelled"),
    (Invents, "test_an_empty_erp_lists_nothing"),
    (Recomputes, "test_amounts_arrive_as_quoted"),
    (PaysTwice, "test_a_payment_counts_once"),
    (PaysWhenDry, "test_a_dry_payment_leaves_the_invoice_open"),
    (ForgetsChanges, "test_cursors_resume_without_loss"),
]


@pytest.mark.parametrize(("erp", "test"), BAD, ids=[erp.__name__ for erp, _ in BAD])
def test_a_bad_erp_is_noticed(erp: type, test: str) -> None:
    with pytest.raises((AssertionError, TypeError, pytest.fail.Exception)):
        call(erp if erp is not object else lambda _books: object(), test)  # type: ignore[arg-type]


def test_every_test_of_the_suite_can_fail() -> None:
    assert {test for _, test in BAD} == set(TESTS)
