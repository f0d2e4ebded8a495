"""A workspace with customers and orders, and ERPs that misbehave on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

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
from sfactl.config.settings import Settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

NOON = datetime(2026, 6, 15, 12)


class LedgerErp:
    """An ERP in memory that makes a new order for every push unless it finds the key, as most do.

    ``script`` holds errors by verb: each call takes the next one. A ``late`` error is raised after the work was done, as
    when the answer is lost.
    """

    def __init__(self, *, unique_key: bool = False) -> None:
        self.unique_key = unique_key
        self.orders: list[tuple[str, ErpOrder, str]] = []
        self.customers: dict[str, ErpCustomer] = {}
        self.products: dict[str, ErpProduct] = {}
        self.script: dict[str, list[tuple[str, Exception] | None]] = {}
        self.calls: list[str] = []
        self.invoices: list[InvoicePage] = []
        self.payments: list[PaymentPage] = []
        self.open_items: list[ErpOpenItem] = []
        self.cursors: list[object] = []

    def check(self) -> CheckReport:
        return CheckReport(facts={"version": "1"})

    def capabilities(self) -> ErpCapabilities:
        return ErpCapabilities(unique_key=self.unique_key, upsert_by_key=True)

    def upsert_customer(self, key: str, customer: ErpCustomer, *, dry_run: bool = False) -> Ref:
        def work() -> Ref:
            self.customers[key] = customer
            return Ref(erp="mem", kind="customer", id=key)

        return self._do("customer", work, dry_run=dry_run)

    def upsert_product(self, key: str, product: ErpProduct, *, dry_run: bool = False) -> Ref:
        def work() -> Ref:
            self.products[key] = product
            return Ref(erp="mem", kind="product", id=key)

        return self._do("product", work, dry_run=dry_run)

    def push_order(self, key: str, order: ErpOrder, *, dry_run: bool = False) -> Ref:
        def work() -> Ref:
            self.orders.append((key, order, "confirmed"))
            return self._ref(len(self.orders) - 1)

        return self._do("order", work, dry_run=dry_run)

    def find(self, kind: str, key: str) -> Sequence[Ref]:
        self._do("find", lambda: None)
        if kind == "order":
            return [self._ref(i) for i, (own, _, _) in enumerate(self.orders) if own == key]
        known = self.customers if kind == "customer" else self.products
        return [Ref(erp="mem", kind="customer", id=key)] if key in known else []

    def cancel_order(self, key: str, *, dry_run: bool = False) -> Ref:
        def work() -> Ref:
            at = next(i for i, (own, _, _) in enumerate(self.orders) if own == key)
            self.orders[at] = (key, self.orders[at][1], "cancelled")
            return self._ref(at)

        return self._do("cancel", work, dry_run=dry_run)

    def list_invoices(self, cursor: Mapping[str, Any] | None) -> Iterator[InvoicePage]:
        self.cursors.append(cursor)
        yield from self.invoices

    def list_payments(self, cursor: Mapping[str, Any] | None) -> Iterator[PaymentPage]:
        self.cursors.append(cursor)
        yield from self.payments

    def list_open_items(self, as_of: date) -> Iterator[ErpOpenItem]:
        yield from self.open_items

    def record_payment(self, key: str, invoice_id: str, amount: Decimal, *, dry_run: bool = False) -> Ref:
        return Ref(erp="mem", kind="payment", id=key)

    def write_off(self, key: str, invoice_id: str, amount: Decimal, reason: str, *, dry_run: bool = False) -> Ref:
        return Ref(erp="mem", kind="write_off", id=key)

    def credit(self, key: str, invoice_id: str, *, dry_run: bool = False) -> Ref:
        return Ref(erp="mem", kind="credit_note", id=key)

    def _ref(self, at: int) -> Ref:
        return Ref(erp="mem", kind="order", id=f"SO{at + 1}", number=f"SO{at + 1}", state=self.orders[at][2])

    def _do(self, verb: str, work: Callable[[], Any], *, dry_run: bool = False) -> Any:
        self.calls.append(verb)
        script = self.script.get(verb, [])
        fault = script.pop(0) if script else None
        if fault is not None and fault[0] == "early":
            raise fault[1]
        done = Ref(erp="mem", kind="order", id="") if dry_run else work()
        if fault is not None:
            raise fault[1]
        return done


class OneErp:
    """A plugin host that has one connector."""

    def __init__(self, connector: Any) -> None:
        self.connector = connector
        self.notices: list[tuple[str, Mapping[str, Any]]] = []

    def make(self, kind: str, name: str, settings: Mapping[str, Any], *, where: str) -> Any:
        assert kind == "erp_connector"
        return self.connector

    def notify(self, hook: str, summary: Mapping[str, Any]) -> None:
        self.notices.append((hook, summary))

    def close(self) -> None:
        pass


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def erp_settings() -> dict[str, Any]:
    """The tables of erp/*.toml; a test may change them before it opens a session."""
    return {"main": {"use": "files", "folder": "books"}}


@pytest.fixture
def open_again(tmp_path: Path, clock: FixedClock, erp_settings: dict[str, Any]) -> Iterator[Callable[..., Session]]:
    """Opens the one workspace of the test, as often as asked; ``erp`` is the connector to use."""
    Workspace.create(tmp_path / "ws").close()
    opened: list[Session] = []

    def opener(*, erp: Any = None, **options: Any) -> Session:
        session = open_session(
            tmp_path / "ws",
            settings=Settings(erp=erp_settings),
            command="test",
            actor="tester",
            clock=clock,
            quiet=True,
            **options,
        )
        if erp is not None:
            session.host = OneErp(erp)  # type: ignore[assignment]
        opened.append(session)
        return session

    yield opener
    for session in opened:
        session.close()


@pytest.fixture
def session(open_again: Callable[..., Session]) -> Session:
    """Account 1 with two open orders: O-1 over 300.00 and O-2 over 50.00 EUR."""
    session = open_again()
    seed(session, 2)
    return session


def seed(session: Session, orders: int) -> None:
    """Account 1 and ``orders`` open orders, 300.00 and 50.00 EUR by turns, each with one line."""
    with session.write("accounts", "contacts", "products", "orders", "order_lines") as tx:
        tx.upsert("accounts", "select 1 as account_id, 'Acme' as name, 'DE' as country, '12345678' as tax_id")
        tx.upsert("contacts", "select 5 as contact_id, 1 as account_id, 'ann@acme.example' as email")
        tx.upsert("products", "select 'LX-300' as sku, 'Laser' as name, 'piece' as unit")
        numbers = f"from range(1, {orders + 1}) t(n)"
        tx.upsert(
            "orders",
            "select n as order_id, 1 as account_id, 9 as opportunity_id, 'ann' as owner, 'open' as status,"
            " timestamp '2026-06-01 10:00:00' as at, 'EUR' as currency, 14 as payment_terms_days,"
            f" case when n % 2 = 1 then 300 else 50 end as amount {numbers}",
        )
        tx.upsert(
            "order_lines",
            "select n as order_id, 1 as line_no, 'LX-300' as sku, 'Laser' as product_name, 1 as quantity,"
            " case when n % 2 = 1 then 300 else 50 end as unit_price,"
            f" case when n % 2 = 1 then 300 else 50 end as amount {numbers}",
        )
        tx.commit()


@pytest.fixture
def memory_erp() -> LedgerErp:
    return LedgerErp()


def invoice(id_: str, amount: str, *, order: str = "", due: date = date(2026, 6, 30), **more: Any) -> ErpInvoice:
    """An invoice of 2026-06-02 over ``amount`` EUR."""
    defaults: dict[str, Any] = {
        "number": f"R{id_}",
        "customer_key": "C1",
        "invoiced_on": date(2026, 6, 2),
        "currency": "EUR",
        "open_amount": Decimal(amount),
        "state": "posted",
        "changed_at": NOON,
    }
    return ErpInvoice(id=id_, order_key=order, due_on=due, amount=Decimal(amount), **(defaults | more))


def payment(id_: str, amount: str, *, of: str = "", on: date = date(2026, 6, 10), **more: Any) -> ErpPayment:
    """A payment over ``amount`` EUR."""
    defaults: dict[str, Any] = {"customer_key": "C1", "currency": "EUR", "kind": "payment", "changed_at": NOON}
    return ErpPayment(id=id_, invoice_id=of, paid_on=on, amount=Decimal(amount), **(defaults | more))


@pytest.fixture
def bill() -> Callable[..., ErpInvoice]:
    return invoice


@pytest.fixture
def pay() -> Callable[..., ErpPayment]:
    return payment


@pytest.fixture
def seed_orders() -> Callable[[Session, int], None]:
    return seed
