"""Match receipts that name no invoice with receivables: by a person's word, by the invoice number in the reference, or
oldest due first. Nothing is ever matched beyond what either side has left."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import DataError, NotFound
from sfactl.orders.model import Matched
from sfactl.orders.usecases.derive import DATASETS, derive, empty
from sfactl.session import Session
from sfactl.workspace import Transaction

if TYPE_CHECKING:
    from datetime import date


def match(session: Session, *, receipt: str, receivable: str, amount: Decimal | None = None) -> Matched:
    """Match ``amount`` (all that both sides have left) of a receipt with a receivable, named by id or invoice number.

    Raises `NotFound`, and `DataError` where currencies differ or one side has less left than asked.
    """
    with session.write(*DATASETS) as tx:
        paid = _receipt(tx, session.today(), receipt)
        owed = _receivable(tx, session.today(), receivable)
        if paid["currency"] != owed["currency"]:
            raise DataError(f"{receipt} is in {paid['currency']}, {receivable} in {owed['currency']}")
        most = min(paid["unapplied"], owed["open_amount"])
        wanted = most if amount is None else amount
        if not 0 < wanted <= most:
            raise DataError(
                f"{wanted} cannot be matched: {receipt} has {paid['unapplied']} left, "
                f"{receivable} has {owed['open_amount']} open"
            )
        claim = _claim(tx, paid["receipt"], owed["receivable_id"], "manual", wanted)
        return _keep(session, tx, "manual", [claim], {paid["currency"]: wanted})


def match_references(session: Session) -> Matched:
    """Match every unapplied receipt whose reference names exactly one open invoice."""
    return _by_rule(session, "reference", "match_references")


def match_fifo(session: Session) -> Matched:
    """Match every unapplied receipt with its customer's receivables, oldest due first."""
    return _by_rule(session, "fifo", "match_fifo")


def _by_rule(session: Session, kind: str, statement: str) -> Matched:
    with session.write(*DATASETS) as tx:
        query, params = tx.query, {"on": session.today()}
        query.run(f"create temp table unmatched as {query.statement('orders', 'unmatched')}", params)
        query.run(f"create temp table open_items as {query.statement('orders', 'open_items')}", params)
        rows = query.table(query.statement("orders", statement)).to_pylist()
        sums: dict[str, Decimal] = {}
        for row in rows:
            currency = row.pop("currency")
            sums[currency] = sums.get(currency, Decimal(0)) + row["claimed"]
        claims = [_claim(tx, r["receipt_id"], r["receivable_id"], kind, r["claimed"]) for r in rows]
        return _keep(session, tx, kind, claims, sums)


def _claim(tx: Transaction, receipt_id: str, receivable_id: str, kind: str, amount: Decimal) -> dict[str, Any]:
    """A claim, on top of one that the same pair has already."""
    have = tx.query.get("allocations", f"{receipt_id}>{receivable_id}")
    before = have["claimed"] if have is not None and have["kind"] != "invoice" else Decimal(0)
    return {"receipt_id": receipt_id, "receivable_id": receivable_id, "kind": kind, "claimed": before + amount}


def _keep(
    session: Session, tx: Transaction, kind: str, claims: list[dict[str, Any]], sums: dict[str, Decimal]
) -> Matched:
    import pyarrow as pa

    receipts = len({c["receipt_id"] for c in claims})
    if not claims:
        return Matched(by=kind, receipts=0, amount_by_currency={}, dry_run=session.dry_run)
    tables = empty()
    tables["claims_in"] = pa.Table.from_pylist(claims, schema=tables["claims_in"].schema)
    derive(session, tx, tables)
    done = tx.commit(by=kind, receipts=receipts)
    return Matched(by=kind, receipts=receipts, amount_by_currency=sums, dry_run=session.dry_run, commit=done.seq)


def _receipt(tx: Transaction, on: date, name: str) -> dict[str, Any]:
    sql = f"select * from ({tx.query.statement('orders', 'unmatched')}) where receipt = $name"
    rows = tx.query.table(sql, {"on": on, "name": name}).to_pylist()
    if not rows:
        raise NotFound(f"there is no receipt {name!r} with something left", hint="See: sfactl ar unmatched")
    return dict(rows[0])


def _receivable(tx: Transaction, on: date, name: str) -> dict[str, Any]:
    sql = (
        f"select * from ({tx.query.statement('orders', 'open_items')}) where (receivable_id = $name or invoice = $name)"
    )
    rows = tx.query.table(sql, {"on": on, "name": name}).to_pylist()
    if not rows:
        raise NotFound(f"there is no receivable {name!r}", hint="See: sfactl ar list")
    if len(rows) > 1:
        ids = ", ".join(r["receivable_id"] for r in rows)
        raise DataError(f"several receivables are called {name!r}", hint=f"Name one of: {ids}")
    return dict(rows[0])
