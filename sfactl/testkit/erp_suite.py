"""What an ERP connector must hold to: our keys are kept, a repeat changes nothing, a dry run writes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from sfactl.api.errors import Conflict, ErpError, UserError
from sfactl.api.protocols import ErpConnector
from sfactl.api.records import (
    CheckReport,
    ErpCapabilities,
    ErpCustomer,
    ErpInvoice,
    ErpOrder,
    ErpOrderLine,
    ErpProduct,
    Ref,
)
from sfactl.testkit.offer_suite import NOW, Make, OfferSuite

CUSTOMER = "sfactl:test:customer:1"
PRODUCT = "sfactl:test:product:LX-300"
ORDER = "sfactl:test:order:1"
PAYMENT = "sfactl:test:payment:1"
CURRENCY = "USD"


class ErpConnectorSuite(OfferSuite):
    """Inherit this to test a connector; the settings must lead to an empty ERP.

    Override `invoice` to say how an order becomes an invoice over there, else what needs one is skipped. Say
    ``checks_customers = False`` of an ERP that takes an order for anybody, and ``settles_at_once = False`` of one where
    a person enters the payments we ask for.
    """

    kind: ClassVar[str] = "erp_connector"
    checks_customers: ClassVar[bool] = True
    settles_at_once: ClassVar[bool] = True

    def customer(self) -> ErpCustomer:
        """The customer that is pushed."""
        return ErpCustomer(name="台灣精密機械股份有限公司", tax_id="04595257", email="ap@example.com", country="TW")

    def order(self) -> ErpOrder:
        """The order that is pushed: two lines, one of them rounded by its quote."""
        lines = (
            ErpOrderLine(
                line_no=1,
                product_key=PRODUCT,
                sku="LX-300",
                description="雷射切割機",
                quantity=Decimal(3),
                unit_price=Decimal("33.3333"),
                amount=Decimal("100.00"),
            ),
            ErpOrderLine(
                line_no=2,
                product_key=PRODUCT,
                sku="LX-300",
                description="Spare part",
                quantity=Decimal(1),
                unit_price=Decimal("65.00"),
                amount=Decimal("65.00"),
            ),
        )
        return ErpOrder(customer_key=CUSTOMER, number="S-1", ordered_on=NOW.date(), currency=CURRENCY, lines=lines)

    def invoice(self, connector: Any, order: Ref) -> None:  # noqa: ARG002 - for those who override it
        """Make the ERP invoice ``order``, as its users would."""
        pytest.skip("no way to invoice an order was given: override invoice()")

    @pytest.fixture
    def erp(self, make: Make) -> Any:
        """A connector to an ERP that has the customer and the product."""
        connector = make()
        connector.upsert_customer(CUSTOMER, self.customer())
        connector.upsert_product(PRODUCT, ErpProduct(sku="LX-300", name="Laser", currency=CURRENCY))
        return connector

    def test_it_is_a_connector(self, make: Make) -> None:
        """It has all verbs of `ErpConnector`."""
        assert isinstance(make(), ErpConnector)

    def test_check_answers_without_problems(self, make: Make) -> None:
        """``check`` says that the ERP is usable, and ``capabilities`` what it can promise."""
        report = make().check()
        assert isinstance(report, CheckReport)
        assert report.problems == ()
        assert isinstance(make().capabilities(), ErpCapabilities)

    def test_our_keys_are_kept(self, erp: Any, make: Make) -> None:
        """What was pushed is found by our key, by another process too, and only once."""
        order = erp.push_order(ORDER, self.order())
        other = make()
        assert isinstance(order, Ref)
        assert order.kind == "order"
        assert [ref.id for ref in other.find("order", ORDER)] == [order.id]
        assert len(other.find("customer", CUSTOMER)) == 1
        assert len(other.find("product", PRODUCT)) == 1

    def test_an_unknown_key_is_found_nowhere(self, make: Make) -> None:
        """``find`` answers empty, not an error."""
        assert list(make().find("order", "sfactl:test:order:none")) == []

    def test_a_repeat_changes_nothing(self, erp: Any, make: Make) -> None:
        """Each verb called again with the same key answers the same document."""
        first = erp.push_order(ORDER, self.order())
        other = make()
        assert other.push_order(ORDER, self.order()).id == first.id
        customers = {other.upsert_customer(CUSTOMER, self.customer()).id for _ in range(2)}
        assert len(customers) == 1
        assert len(other.find("order", ORDER)) == 1

    def test_an_update_keeps_the_document(self, erp: Any) -> None:
        """A customer that moved is still the same customer."""
        before = erp.find("customer", CUSTOMER)[0].id
        moved = ErpCustomer(name=self.customer().name, city="Taichung", country="TW")
        assert erp.upsert_customer(CUSTOMER, moved).id == before

    def test_a_dry_run_writes_nothing(self, make: Make) -> None:
        """With ``dry_run`` no document appears."""
        connector = make()
        connector.upsert_customer(CUSTOMER, self.customer(), dry_run=True)
        connector.upsert_product(PRODUCT, ErpProduct(sku="LX-300", name="Laser", currency=CURRENCY), dry_run=True)
        assert list(connector.find("customer", CUSTOMER)) == []
        assert list(connector.find("product", PRODUCT)) == []
        connector.upsert_customer(CUSTOMER, self.customer())
        connector.upsert_product(PRODUCT, ErpProduct(sku="LX-300", name="Laser", currency=CURRENCY))
        connector.push_order(ORDER, self.order(), dry_run=True)
        assert list(connector.find("order", ORDER)) == []

    def test_an_order_of_nobody_is_refused(self, make: Make) -> None:
        """An order for a customer the ERP does not know is refused with an error of the contract."""
        if not self.checks_customers:
            return
        with pytest.raises((ErpError, UserError, Conflict)):
            make().push_order(ORDER, self.order())
        assert list(make().find("order", ORDER)) == []

    def test_a_cancelled_order_stays_cancelled(self, erp: Any) -> None:
        """``cancel_order`` may be called again."""
        erp.push_order(ORDER, self.order())
        first = erp.cancel_order(ORDER)
        assert erp.cancel_order(ORDER).id == first.id

    def test_an_empty_erp_lists_nothing(self, make: Make) -> None:
        """Without documents there are no invoices, payments or open items."""
        connector = make()
        assert [i for page in connector.list_invoices(None) for i in page.invoices] == []
        assert [p for page in connector.list_payments(None) for p in page.payments] == []
        assert list(connector.list_open_items(NOW.date())) == []

    def test_amounts_arrive_as_quoted(self, erp: Any) -> None:
        """The invoice of an order carries the line totals as they were, not computed again."""
        invoice = self._invoiced(erp)
        assert invoice.amount >= Decimal("165.00"), "tax may be added, nothing may be lost"
        assert invoice.open_amount == invoice.amount
        assert invoice.currency == CURRENCY
        assert invoice.order_key == ORDER

    def test_a_payment_counts_once(self, erp: Any, make: Make) -> None:
        """A payment repeated with its key lowers what is open only once, and is listed once."""
        invoice = self._invoiced(erp)
        part = invoice.amount - Decimal("60.00") if make().capabilities().partial_payment else invoice.amount
        first = erp.record_payment(PAYMENT, invoice.id, part)
        assert erp.record_payment(PAYMENT, invoice.id, part).id == first.id
        if not self.settles_at_once:
            return
        left = {i.id: i.open_amount for i in _invoices(make())}[invoice.id]
        assert left == invoice.amount - part
        payments = {p.id: p.amount for page in make().list_payments(None) for p in page.payments}
        assert sum(payments.values()) == part
        assert sum(i.open_amount for i in make().list_open_items(date(9999, 1, 1))) == left

    def test_a_dry_payment_leaves_the_invoice_open(self, erp: Any) -> None:
        """With ``dry_run`` nothing is paid."""
        invoice = self._invoiced(erp)
        erp.record_payment(PAYMENT, invoice.id, invoice.amount, dry_run=True)
        assert _invoices(erp)[0].open_amount == invoice.amount

    def test_cursors_resume_without_loss(self, erp: Any, make: Make) -> None:
        """From any saved cursor the rest comes; what changed later comes whatever the cursor."""
        invoice = self._invoiced(erp)
        pages = list(erp.list_invoices(None))
        everything = {i.id for page in pages for i in page.invoices}
        seen: set[str] = set()
        for page in pages:
            seen |= {i.id for i in page.invoices}
            rest = {i.id for later in make().list_invoices(_saved(page.cursor)) for i in later.invoices}
            assert seen | rest == everything
        if not self.settles_at_once:
            return
        erp.record_payment(PAYMENT, invoice.id, invoice.amount)
        changed = [i.id for page in make().list_invoices(_saved(pages[-1].cursor)) for i in page.invoices]
        assert invoice.id in changed

    def _invoiced(self, erp: Any) -> ErpInvoice:
        self.invoice(erp, erp.push_order(ORDER, self.order()))
        (invoice,) = _invoices(erp)
        return invoice


def _invoices(connector: Any) -> list[ErpInvoice]:
    newest = {i.id: i for page in connector.list_invoices(None) for i in page.invoices}
    return list(newest.values())


def _saved(cursor: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cursor as it comes back from the workspace."""
    saved: Mapping[str, Any] = json.loads(json.dumps(dict(cursor)))
    return saved
