"""What a push has to bring about: customers and products first, then the orders that need them, then cancellations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sfactl.api.records import ErpCustomer, ErpOrder, ErpOrderLine, ErpProduct
from sfactl.approvals.standing import needs_of
from sfactl.engine.duck import Query
from sfactl.orders.keys import key, order_number, our_id, payload_hash
from sfactl.orders.model import Listed, Work
from sfactl.orders.usecases.ordering import asked
from sfactl.session import Session

if TYPE_CHECKING:
    from datetime import date

TERMS_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """The work in its order, what is at the ERP as it should be, and what cannot even be tried.

    ``unapproved`` are orders that wait for somebody's word.
    """

    work: tuple[Work, ...]
    unchanged: int
    hopeless: tuple[Listed, ...]
    unapproved: tuple[Listed, ...] = ()


def agenda(session: Session, query: Query, erp: str, *, only: Sequence[int] | None, orders_only: bool) -> Agenda:
    """Everything that the ERP does not know yet, or knows otherwise.

    With ``orders_only`` customers and products are looked at only where a new order needs them.
    """
    tenant = session.workspace.id
    known = {
        (kind, our_key): (hashed, at.isoformat())
        for kind, our_key, hashed, at in query.rows(
            "select r.kind, r.our_key, r.payload_hash, r.at from erp_refs r where r.erp = $erp", {"erp": erp}
        )
    }
    params = {"erp": erp, "prefix": key(tenant, "order", ""), "only": None if only is None else list(only)}
    rows = query.table(query.statement("orders", "push_orders"), params).to_pylist()
    orders = [r for r in rows if r["status"] == "open"]
    hopeless = tuple(
        Listed(
            key=key(tenant, "order", r["order_id"]),
            what=f"order {order_number(r['order_id'])}",
            order_id=r["order_id"],
            reason="has neither account nor lead, so there is no customer",
        )
        for r in orders
        if r["account_id"] is None and r["lead_id"] is None
    )
    able = [r for r in orders if r["account_id"] is not None or r["lead_id"] is not None]
    waiting = _unapproved(session, query, tenant, able)
    held_back = {w.order_id for w in waiting}
    able = [r for r in able if r["order_id"] not in held_back]
    lines = _lines(query, [r["order_id"] for r in able])
    also = not orders_only and only is None
    upserts = [
        *_customers(query, tenant, able, known if also else {}),
        *_products(query, tenant, {x["sku"] for of_order in lines.values() for x in of_order}, known if also else {}),
    ]
    held = [(w, *known.get((w.kind, w.our_key), ("", ""))) for w in upserts]
    fresh = [replace(w, since=at) for w, hashed, at in held if hashed != w.payload_hash]
    made = [_order(tenant, r, lines[r["order_id"]], _ordered_on(session, r)) for r in able]
    cancels = [_cancel(tenant, r["order_id"]) for r in rows if r["status"] == "cancelled"]
    return Agenda(
        work=(*fresh, *made, *cancels), unchanged=len(upserts) - len(fresh), hopeless=hopeless, unapproved=waiting
    )


def _unapproved(session: Session, query: Query, tenant: str, orders: Sequence[Mapping[str, Any]]) -> tuple[Listed, ...]:
    found = []
    for row in orders:
        missing = [n for n in needs_of(session, query, asked(row)) if not n.given_by]
        if missing:
            number = order_number(row["order_id"])
            found.append(
                Listed(
                    key=key(tenant, "order", row["order_id"]),
                    what=f"order {number}",
                    order_id=row["order_id"],
                    reason=f"needs an approval: {' · '.join(map(str, missing))} (sfactl order approve {number})",
                )
            )
    return tuple(found)


def _lines(query: Query, orders: Sequence[int]) -> Mapping[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in query.table(query.statement("orders", "push_lines"), {"orders": list(orders)}).to_pylist():
        found[row.pop("order_id")].append(row)
    return found


def _customers(query: Query, tenant: str, orders: Sequence[Mapping[str, Any]], known: Mapping[Any, Any]) -> list[Work]:
    accounts = {r["account_id"] for r in orders if r["account_id"] is not None}
    leads = {r["lead_id"] for r in orders if r["account_id"] is None}
    for kind, our_key in known:
        own = our_id(our_key, tenant, "customer") if kind == "customer" else None
        if own is not None and own.startswith("lead-"):
            leads.add(int(own.removeprefix("lead-")))
        elif own is not None:
            accounts.add(int(own))
    sql = query.statement("orders", "push_customers")
    rows = query.table(sql, {"accounts": sorted(accounts), "leads": sorted(leads)}).to_pylist()
    return [_upsert(tenant, "customer", row.pop("id"), ErpCustomer(**row)) for row in rows]


def _products(query: Query, tenant: str, skus: set[str], known: Mapping[Any, Any]) -> list[Work]:
    wanted = skus | {own for kind, k in known if kind == "product" and (own := our_id(k, tenant, "product"))}
    rows = query.table(query.statement("orders", "push_products"), {"skus": sorted(wanted)}).to_pylist()
    found = {row["sku"] for row in rows}
    # A line keeps its product's name, so a product that was removed from the list can still be sold and pushed.
    rows += [{"sku": sku, "name": sku, "unit": "unit"} for sku in sorted(skus - found)]
    return [_upsert(tenant, "product", row["sku"], ErpProduct(**row)) for row in rows]


def _upsert(tenant: str, kind: Any, own: str, payload: ErpCustomer | ErpProduct) -> Work:
    return Work(
        verb=kind, kind=kind, our_key=key(tenant, kind, own), payload=payload, payload_hash=payload_hash(payload)
    )


def _order(tenant: str, row: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], ordered_on: date) -> Work:
    own = row["account_id"] if row["account_id"] is not None else f"lead-{row['lead_id']}"
    customer = key(tenant, "customer", own)
    payload = ErpOrder(
        customer_key=customer,
        number=order_number(row["order_id"]),
        ordered_on=ordered_on,
        currency=row["currency"],
        lines=tuple(ErpOrderLine(product_key=key(tenant, "product", line["sku"]), **line) for line in lines),
        payment_terms_days=TERMS_DAYS if row["payment_terms_days"] is None else row["payment_terms_days"],
    )
    return Work(
        verb="order",
        kind="order",
        our_key=key(tenant, "order", row["order_id"]),
        payload=payload,
        payload_hash=payload_hash(payload),
        order_id=row["order_id"],
        needs=(customer, *(line.product_key for line in payload.lines)),
    )


def _cancel(tenant: str, order_id: int) -> Work:
    return Work(
        verb="cancel",
        kind="order",
        our_key=key(tenant, "order", order_id),
        payload=None,
        payload_hash="",
        order_id=order_id,
    )


def _ordered_on(session: Session, row: Mapping[str, Any]) -> date:
    from datetime import UTC

    day: date = row["at"].replace(tzinfo=UTC).astimezone(session.zone).date()
    return day
