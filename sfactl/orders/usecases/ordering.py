"""List, show and cancel orders. An order is made by accepting a quote and its lines never change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import NotFound, PolicyError
from sfactl.approvals import standing
from sfactl.approvals.model import Approved, Asked
from sfactl.approvals.standing import needs_of
from sfactl.engine.duck import Query
from sfactl.orders.contracts import contracts_of
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
        contracts = contracts_of(query, row["order_id"])
        needs = needs_of(session, query, asked(row)) if row["status"] == "open" else ()
    head = Order(**{name: row[name] for name in Order.__slots__})
    lines_of = tuple(OrderLine(**line) for line in lines)
    return OrderView(order=head, lines=lines_of, needs=needs, contracts=contracts)


def approve(session: Session, order: str, *, reason: str = "") -> Approved:
    """Give this actor's word for an order, so that the ERP is told of it. Given again it changes nothing.

    Raises `PolicyError` for who made it, whom no rule asks, or an order that is past that.
    """
    with session.write("orders", reason=f"approve order {order}") as tx:
        row = read_order(tx.query, order)
        if row["status"] != "open":
            raise PolicyError(f"O-{row['order_id']} is {row['status']}, there is nothing to approve")
        done = standing.approve(session, tx, asked(row), reason=reason)
        if done.given:
            return replace(done, commit=tx.commit(order_id=row["order_id"], approved=list(done.given)).seq)
    return done


def asked(row: Mapping[str, Any]) -> Asked:
    """What an approval of an order is for."""
    return Asked(
        what="order",
        number=row["order_id"],
        called=f"O-{row['order_id']}",
        revision=1,
        amount=row["amount"] or Decimal(0),
        currency=row["currency"] or "",
        author=row["made_by"],
    )


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
