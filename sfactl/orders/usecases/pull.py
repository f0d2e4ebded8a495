"""Pull invoices and payments from an ERP, page by page: rows, what follows from them, and the cursor in one commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sfactl.api.records import ErpInvoice, ErpPayment, ErpRejection, InvoicePage, PaymentPage
from sfactl.orders.keys import our_number
from sfactl.orders.model import PullResult, Rejected, StreamCount
from sfactl.orders.usecases.derive import DATASETS, derive, empty
from sfactl.orders.usecases.exchange import Exchange, connect, contained
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa


def pull(session: Session, name: str | None = None) -> PullResult:
    """Take over what is new or changed. A row seen before, or older than what we hold, changes nothing.

    A crash between two pages loses none: the next pull goes on from the last page that was kept. Errors as `connect`
    and the connector raise them.
    """
    exchange = connect(session, name)
    invoices, last = _stream(session, exchange, "invoices")
    payments, later = _stream(session, exchange, "payments")
    with session.query() as query:
        waiting = query.one(
            f"select count(*) from ({query.statement('orders', 'unmatched')}) where receipt like $mine",
            {"on": session.today(), "mine": f"{exchange.name}:%"},
        )
    counts = {"invoices": invoices.new + invoices.updated, "payments": payments.new + payments.updated}
    session.notify("sfactl_after_orders_synced", {"erp": exchange.name, "direction": "pull", **counts})
    return PullResult(
        erp=exchange.name,
        invoices=invoices,
        payments=payments,
        unmatched=waiting[0] if waiting else 0,
        dry_run=session.dry_run,
        commit=later or last,
    )


def _stream(session: Session, exchange: Exchange, stream: str) -> tuple[StreamCount, int | None]:
    cursor_name = f"{exchange.scope}:{stream}"
    cursor = session.workspace.cursor(cursor_name)
    total, commit = StreamCount(), None
    with contained(exchange.name):
        pages: Iterable[InvoicePage | PaymentPage]
        if stream == "invoices":
            pages = exchange.connector.list_invoices(cursor)
        else:
            pages = exchange.connector.list_payments(cursor)
        with session.progress(f"Pulled {stream}") as progress:
            for page in pages:
                count, seq = _keep(session, exchange.name, cursor_name, page)
                total, commit = total.plus(count), seq or commit
                progress.advance(count.rows)
    return total, commit


def _keep(
    session: Session, erp: str, cursor_name: str, page: InvoicePage | PaymentPage
) -> tuple[StreamCount, int | None]:
    tenant = session.workspace.id
    with session.write(*DATASETS) as tx:
        tables = empty()
        if isinstance(page, InvoicePage):
            good, bad = _fit(page.invoices, page.rejected)
            tables["receivables_in"] = _receivables(erp, tenant, good)
        else:
            good, bad = _fit(page.payments, page.rejected)
            tables["receipts_in"] = _receipts(erp, tenant, good)
        new, updated = derive(session, tx, tables)
        distinct = len({row.id for row in good})
        tx.set_cursor(cursor_name, page.cursor)
        done = tx.commit(erp=erp, new=new, updated=updated, rejected=len(bad))
    count = StreamCount(
        rows=len(good) + len(bad), new=new, updated=updated, unchanged=distinct - new - updated, rejected=tuple(bad)
    )
    return count, done.seq


def _fit(rows: Sequence[Any], rejected: Sequence[ErpRejection]) -> tuple[list[Any], list[Rejected]]:
    """Rows that the datasets can hold, and the others with the reason."""
    good, bad = [], [Rejected(where=r.where, reason=r.reason) for r in rejected]
    for row in rows:
        if row.amount != round(row.amount, 4) or abs(row.amount) >= 10**14:
            bad.append(Rejected(where=f"id {row.id}", reason=f"amount {row.amount} has more digits than we keep"))
        elif not row.currency:
            bad.append(Rejected(where=f"id {row.id}", reason="has no currency"))
        else:
            good.append(row)
    return good, bad


def _receivables(erp: str, tenant: str, rows: Sequence[ErpInvoice]) -> pa.Table:
    made = [
        {
            "receivable_id": f"{erp}:{r.id}",
            "order_id": our_number(r.order_key, tenant, "order"),
            "account_id": our_number(r.customer_key, tenant, "customer"),
            "invoice_number": r.number,
            "erp": erp,
            "erp_id": r.id,
            "invoiced_on": r.invoiced_on,
            "due_on": r.due_on,
            "currency": r.currency,
            "amount": r.amount,
            "cancelled": r.state == "cancelled",
            "updated_at": r.changed_at,
            "customer_ref": r.customer_key,
        }
        for r in rows
    ]
    return _filled("receivables_in", made)


def _receipts(erp: str, tenant: str, rows: Sequence[ErpPayment]) -> pa.Table:
    made = [
        {
            "receipt_id": f"{erp}:{r.id}",
            "account_id": our_number(r.customer_key, tenant, "customer"),
            "erp": erp,
            "erp_id": r.id,
            "paid_on": r.paid_on,
            "kind": r.kind,
            "currency": r.currency,
            "amount": r.amount,
            "updated_at": r.changed_at,
            "invoice_erp_id": r.invoice_id or None,
            "customer_ref": r.customer_key,
            "reference": r.reference or None,
        }
        for r in rows
    ]
    return _filled("receipts_in", made)


def _filled(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema=empty()[name].schema)
