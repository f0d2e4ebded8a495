"""What is still to be paid, on any day: lists, ageing and balances. The sums are checked in every run."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from sfactl.api.errors import InternalError
from sfactl.engine.duck import Query
from sfactl.orders.ageing import STANDARD, age_sql, parse_buckets
from sfactl.orders.model import Balance, OpenInvoice, OpenOrder
from sfactl.orders.usecases.ordering import read_order
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa


def list_receivables(
    session: Session, *, on: date | None = None, known_at: str | None = None, every: bool = False
) -> pa.Table:
    """Receivables open on a day (today), oldest due first; settled ones too with ``every``.

    Invoices and receipts dated later than ``on`` do not count. ``known_at`` asks what was known at a commit or time.
    """
    with session.query(known_at) as query:
        _open_items(session, query, on)
        return query.table(
            "select invoice, 'O-' || order_id as \"order\", customer, invoiced_on, due_on, days_overdue, currency,"
            " amount, allocated, open_amount from open_items where $every or open_amount <> 0 order by due_on, invoice",
            {"every": every},
        )


def age(session: Session, *, on: date | None = None, buckets: str = STANDARD, known_at: str | None = None) -> pa.Table:
    """One row a customer and currency: what is open by how long it is overdue; the buckets add up to ``outstanding``.

    Raises `DataError` for buckets that do not rise.
    """
    parsed = parse_buckets(buckets)
    with session.query(known_at) as query:
        _open_items(session, query, on)
        table = query.table(
            f"select customer, currency, {age_sql(parsed)}, cast(sum(open_amount) as decimal(18,4)) as outstanding "
            "from open_items where open_amount <> 0 group by customer, currency "
            "order by currency, outstanding desc, customer"
        )
    labels = [b.label for b in parsed]
    for row in table.to_pylist():
        if sum((row[label] for label in labels), Decimal(0)) != row["outstanding"]:
            raise InternalError(f"the buckets of {row['customer']} do not add up to {row['outstanding']}")
    return table


def balances(session: Session, *, on: date | None = None, known_at: str | None = None) -> tuple[Balance, ...]:
    """By currency: what was owed, allocated, outstanding, and received but not applied, on a day."""
    with session.query(known_at) as query:
        _open_items(session, query, on)
        day = {"on": on or session.today()}
        rows = query.table(query.statement("orders", "balances"), day).to_pylist()
        still = dict(query.rows("select currency, sum(open_amount) from open_items group by currency"))
    made = []
    for row in rows:
        balance = Balance(outstanding=row["receivable"] - row["allocated"], **row)
        if balance.outstanding != still.get(balance.currency, Decimal(0)):
            raise InternalError(
                f"open items in {balance.currency} add up to {still.get(balance.currency)}, not {balance.outstanding}"
            )
        made.append(balance)
    return tuple(made)


def unmatched(session: Session, *, on: date | None = None, known_at: str | None = None) -> pa.Table:
    """Receipts that are not wholly allocated on a day, with the reason."""
    with session.query(known_at) as query:
        return query.table(query.statement("orders", "unmatched"), {"on": on or session.today()})


def open_of_order(session: Session, order: str, *, on: date | None = None, known_at: str | None = None) -> OpenOrder:
    """The invoices of one order and what is open of each. Raises `NotFound`."""
    with session.query(known_at) as query:
        row = read_order(query, order)
        _open_items(session, query, on)
        found = query.table(
            "select invoice, invoiced_on, due_on, amount, allocated, open_amount, days_overdue from open_items "
            "where order_id = $order_id order by due_on, invoice",
            {"order_id": row["order_id"]},
        ).to_pylist()
    invoices = tuple(OpenInvoice(**r) for r in found)
    return OpenOrder(
        order_id=row["order_id"],
        status=row["status"],
        currency=row["currency"],
        as_of=on or session.today(),
        ordered=row["amount"],
        invoiced=sum((i.amount for i in invoices), Decimal(0)),
        allocated=sum((i.allocated for i in invoices), Decimal(0)),
        open_amount=sum((i.open_amount for i in invoices), Decimal(0)),
        invoices=invoices,
    )


def _open_items(session: Session, query: Query, on: date | None) -> None:
    query.run(
        f"create temp table open_items as {query.statement('orders', 'open_items')}", {"on": on or session.today()}
    )
