"""Compare what is open here with what the ERP says is open, and list every difference with both values.

This finds what no cursor can: a payment that was cancelled in the ERP without a new time stamp, an invoice that was
removed, an order that was changed there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from sfactl.api.records import ErpOpenItem, Ref
from sfactl.orders.keys import our_number, readable
from sfactl.orders.model import Difference, Reconciliation
from sfactl.orders.usecases.exchange import Exchange, connect, contained
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa


def reconcile(
    session: Session, name: str | None = None, *, on: date | None = None, orders: bool = False
) -> Reconciliation:
    """Compare open items of a day (today), and with ``orders`` also look up every order that was pushed."""
    exchange = connect(session, name)
    day = on or session.today()
    with contained(exchange.name):
        there = list(exchange.connector.list_open_items(day))
    with session.query() as query:
        query.run(f"create temp table open_items as {query.statement('orders', 'open_items')}", {"on": day})
        query.register("erp_open", _table(there, session.workspace.id))
        sql, mine = query.statement("orders", "differences"), {"erp": exchange.name}
        rows = query.table(sql, mine).to_pylist()
        here = query.one("select count(*) from open_items where erp = $erp and open_amount <> 0", mine)
        pushed = query.rows(
            "select our_key, erp_id, state from erp_refs where erp = $erp and kind = 'order' order by our_key", mine
        )
    differences = [
        Difference(invoice=r["invoice"] or r["erp_id"], what=r["what"], ours=r["ours"], erp=r["erp"]) for r in rows
    ]
    if orders:
        with contained(exchange.name):
            differences += _order_differences(exchange, pushed)
    return Reconciliation(
        erp=exchange.name,
        as_of=day,
        open_here=here[0] if here else 0,
        open_there=len(there),
        differences=tuple(differences),
    )


def _order_differences(exchange: Exchange, pushed: list[tuple[str, str, str]]) -> Iterator[Difference]:
    for key, erp_id, state in pushed:
        found = exchange.connector.find("order", key)
        if [ref.id for ref in found] != [erp_id] or any(
            (ref.state == "cancelled") != (state == "cancelled") for ref in found
        ):
            yield Difference(invoice=readable(key), what="order", ours=f"{erp_id} {state}".strip(), erp=_said(found))


def _said(found: object) -> str:
    refs = [ref for ref in found if isinstance(ref, Ref)] if isinstance(found, (list, tuple)) else []
    return ", ".join(f"{ref.id} {ref.state}".strip() for ref in refs) or "not found"


def _table(items: list[ErpOpenItem], tenant: str) -> pa.Table:
    import pyarrow as pa

    fields = [
        ("invoice_id", pa.string()),
        ("number", pa.string()),
        ("order_id", pa.int64()),
        ("due_on", pa.date32()),
        ("currency", pa.string()),
        ("open_amount", pa.decimal128(18, 4)),
    ]
    rows = [
        {
            "invoice_id": i.invoice_id,
            "number": i.number,
            "order_id": our_number(i.order_key, tenant, "order"),
            "due_on": i.due_on,
            "currency": i.currency,
            "open_amount": i.open_amount,
        }
        for i in items
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))
