"""Record that a contract was signed for an order: which, when, by whom, and the hash of the document.

The document itself stays where it is. A contract is recorded once; one number never stands for two orders.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path

from sfactl.api.errors import DataError, PolicyError, UserError
from sfactl.engine.duck import Query
from sfactl.orders.contracts import Signed, contracts_of
from sfactl.orders.usecases.ordering import read_order
from sfactl.session import Session


def sign(
    session: Session,
    order: str,
    *,
    number: str,
    on: date | None = None,
    by: str = "",
    ends: date | None = None,
    file: Path | None = None,
) -> Signed:
    """Record the contract ``number`` for ``order``, signed ``on`` a day (today, where nobody says), by ``by``.

    Raises `PolicyError` for a cancelled order, `UserError` for a day that cannot be, or a number that another order
    has or that was recorded otherwise, `DataError` for a file that cannot be read.
    """
    on, number = on or session.today(), number.strip()
    _check(session, number, on, ends)
    digest = _digest(file) if file else ""
    with session.write("contracts", reason=f"contract {number}") as tx:
        row = read_order(tx.query, order)
        if row["status"] == "cancelled":
            raise PolicyError(f"O-{row['order_id']} is cancelled, so nothing is signed for it")
        done = Signed(
            order_id=row["order_id"],
            number=number,
            signed_on=on,
            signed_by=by,
            ends_on=ends,
            document_sha256=digest,
            dry_run=session.dry_run,
        )
        if (known := _known(tx.query, number)) is not None:
            return _same(known, done)
        named = {"id": session.reserve("contract"), "document": file.name if file else "", "digest": digest}
        said = {"number": number, "signed_on": on, "signed_by": by, "ends_on": ends}
        made = {"now": session.now(), "actor": session.actor, "order_id": row["order_id"]}
        tx.upsert("contracts", tx.query.statement("orders", "contract"), named | said | made)
        commit = tx.commit(order_id=row["order_id"], contract=number).seq
    return replace(done, commit=commit)


def _check(session: Session, number: str, on: date, ends: date | None) -> None:
    if not number:
        raise UserError("the number of the contract is empty")
    if on > session.today():
        raise UserError(f"signed on {on} is in the future")
    if ends is not None and ends < on:
        raise UserError(f"it ends on {ends}, before it was signed on {on}")


def _known(query: Query, number: str) -> Signed | None:
    found = query.one("select order_id from contracts where lower(number) = lower($number)", {"number": number})
    if found is None:
        return None
    return next(c for c in contracts_of(query, found[0]) if c.number.lower() == number.lower())


def _same(known: Signed, said: Signed) -> Signed:
    if known.order_id != said.order_id:
        raise UserError(f"contract {known.number} is that of O-{known.order_id}", hint="Give this one its own number.")
    for name in ("signed_on", "signed_by", "ends_on", "document_sha256"):
        if getattr(known, name) != getattr(said, name):
            raise UserError(
                f"contract {known.number} was recorded with {name} = {getattr(known, name) or 'nothing'}",
                hint="Take that back first with sfactl data undo, or give this one its own number.",
            )
    return replace(known, repeated=True, dry_run=said.dry_run)


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as err:
        raise DataError(f"{file}: cannot be read ({err.strerror})") from None
