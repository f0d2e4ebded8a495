"""Keep the plan of when an order falls due, until its invoices say it better."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal

from sfactl.orders.instalments import Instalment, Term, parse_terms, plan
from sfactl.orders.usecases.agenda import TERMS_DAYS
from sfactl.orders.usecases.ordering import read_order
from sfactl.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The instalments of an order."""

    order_id: int
    currency: str
    instalments: tuple[Instalment, ...]
    dry_run: bool = False
    commit: int | None = None


def plan_order(session: Session, order: str, *, instalments: Sequence[str] = ()) -> Planned:
    """Plan the instalments of an order (``30%@0``: share and days after it) in place of an earlier plan.

    Without ``instalments`` the kept plan is answered, or one for the order's payment terms is made. Raises `NotFound`,
    and `DataError` for shares that do not add up.
    """
    with session.write("instalments") as tx:
        row = read_order(tx.query, order)
        key = {"order_id": row["order_id"]}
        kept = tx.query.table(
            "select instalment_no, percent, due_on, amount from instalments where order_id = $order_id order by 1", key
        ).to_pylist()
        if kept and not instalments:
            parts = tuple(Instalment(**r) for r in kept)
            return Planned(**key, currency=row["currency"], instalments=parts, dry_run=session.dry_run)
        days = TERMS_DAYS if row["payment_terms_days"] is None else row["payment_terms_days"]
        terms = parse_terms(instalments) if instalments else (Term(percent=Decimal(100), days=days),)
        ordered_on = row["at"].replace(tzinfo=UTC).astimezone(session.zone).date()
        parts = plan(row["amount"], row["currency"], ordered_on, terms)
        more = key | {"currency": row["currency"], "updated_at": session.now()}
        import pyarrow as pa

        schema = session.workspace.schemas["instalments"].arrow()
        tx.upsert("instalments", pa.Table.from_pylist([more | dataclasses.asdict(p) for p in parts], schema=schema))
        tx.delete(
            "instalments",
            "select order_id, instalment_no from instalments where order_id = $order_id and instalment_no > $last",
            key | {"last": len(parts)},
        )
        done = tx.commit(**key)
    return Planned(**key, currency=row["currency"], instalments=parts, dry_run=session.dry_run, commit=done.seq)
