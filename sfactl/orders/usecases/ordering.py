"""List, show and cancel orders. An order is made by accepting a quote and its lines never change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfactl.api.errors import NotFound, PolicyError
from sfactl.engine.duck import Query
from sfactl.orders.keys import parse_order
from sfactl.orders.model import Cancelled, Order, OrderLine, OrderView
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa

BILLED = frozenset({"invoiced", "paid"})


def list_orders(session: Session, *, status: str | None = None) -> pa.Table:
    """One row an order, newest first."""
    with session.query() as query:
        return query.table(query.statement("orders", "order_list"), {"status": status})


def show(session: Session, order: str) -> OrderView:
    """An order with its lines. Raises `NotFound`."""
    with session.query() as query:
        row = read_order(query, order)
        lines = query.table(
            "select line_no, sku, product_name, quantity, unit_price, amount from order_lines "
            "where order_id = $order_id order by line_no",
            {"order_id": row["order_id"]},
        ).to_pylist()
    head = Order(**{name: row[name] for name in Order.__slots__})
    return OrderView(order=head, lines=tuple(OrderLine(**line) for line in lines))


def cancel(session: Session, order: str, *, reason: str | None = None) -> Cancelled:
    """Cancel an order; one that the ERP has is cancelled there by the next push. Again: nothing new.

    Raises `PolicyError` for an order that is invoiced already: that takes a credit note in the ERP.
    """
    with session.write("orders", reason=reason) as tx:
        row = read_order(tx.query, order)
        number, tell = row["order_id"], row["erp"] is not None
        if row["status"] == "cancelled":
            at = row["cancelled_at"] or row["updated_at"]
            return Cancelled(order_id=number, at=at, tell_erp=False, repeated=True, dry_run=session.dry_run)
        if row["status"] in BILLED:
            raise PolicyError(
                f"O-{number} is {row['status']} and cannot be cancelled", hint="Have the invoice credited in the ERP."
            )
        tx.upsert(
            "orders",
            "select * replace ('cancelled' as status, $now as cancelled_at, $now as updated_at) from orders "
            "where order_id = $order_id",
            {"now": session.now(), "order_id": number},
        )
        done = tx.commit(order_id=number)
    return Cancelled(
        order_id=number, at=session.now(), tell_erp=tell, repeated=False, dry_run=session.dry_run, commit=done.seq
    )


def read_order(query: Query, order: str) -> dict[str, Any]:
    """The row of an order named as people do. Raises `NotFound`."""
    number = parse_order(order)
    row = query.get("orders", number)
    if row is None:
        raise NotFound(f"there is no order O-{number}", hint="See: sfactl order list")
    return row
