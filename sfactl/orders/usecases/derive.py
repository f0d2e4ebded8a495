"""Derive allocations, the state of receivables and the status of orders from what was invoiced, paid and matched.

Always from the whole of the receivables concerned, so that the result does not depend on the order in which pages came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfactl.session import Session
from sfactl.workspace import Transaction

if TYPE_CHECKING:
    import pyarrow as pa

DATASETS = ("receivables", "receipts", "allocations", "orders")

STEPS = (
    "receivables_changed",
    "receipts_changed",
    "receivables_now",
    "receipts_now",
    "touched",
    "claims",
    "allocations_now",
    "receivables_out",
)
"""Statements kept as temporary tables of the same name, each over the ones before it."""


def empty() -> dict[str, pa.Table]:
    """What `derive` takes, with no rows: invoices, payments, and claims of receipts on receivables."""
    import pyarrow as pa

    money, text, number, day = pa.decimal128(18, 4), pa.string(), pa.int64(), pa.date32()
    receivables = {
        "receivable_id": text,
        "order_id": number,
        "account_id": number,
        "invoice_number": text,
        "erp": text,
        "erp_id": text,
        "invoiced_on": day,
        "due_on": day,
        "currency": text,
        "amount": money,
        "cancelled": pa.bool_(),
        "updated_at": pa.timestamp("us"),
        "customer_ref": text,
    }
    receipts = {
        "receipt_id": text,
        "account_id": number,
        "erp": text,
        "erp_id": text,
        "paid_on": day,
        "kind": text,
        "currency": text,
        "amount": money,
        "updated_at": pa.timestamp("us"),
        "invoice_erp_id": text,
        "customer_ref": text,
        "reference": text,
    }
    claims = {"receipt_id": text, "receivable_id": text, "kind": text, "claimed": money}
    shapes = {"receivables_in": receivables, "receipts_in": receipts, "claims_in": claims}
    return {name: pa.schema(list(shape.items())).empty_table() for name, shape in shapes.items()}


def derive(session: Session, tx: Transaction, tables: dict[str, pa.Table]) -> tuple[int, int]:
    """Take in ``tables`` (as `empty` shapes them) and write what follows. Answers how many rows are new and changed.

    The transaction holds the locks of `DATASETS`; the caller commits.
    """
    query = tx.query
    for name, table in tables.items():
        query.register(name, table)
    for step in STEPS:
        query.run(f"create temp table {step} as {query.statement('orders', step)}")
    fresh = query.one(
        "select (select count(*) from receivables_changed c anti join receivables v using (receivable_id))"
        " + (select count(*) from receipts_changed c anti join receipts r using (receipt_id)),"
        " (select count(*) from receivables_changed) + (select count(*) from receipts_changed)"
    )
    tx.upsert("receivables", query.statement("orders", "receivables_write"))
    tx.upsert("receipts", "select * from receipts_changed")
    tx.delete("allocations", query.statement("orders", "allocations_gone"))
    tx.upsert("allocations", query.statement("orders", "allocations_out"))
    tx.upsert("orders", query.statement("orders", "orders_out"), {"now": session.now()})
    new, changed = fresh or (0, 0)
    return new, changed - new
