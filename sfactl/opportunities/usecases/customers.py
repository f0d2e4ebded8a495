"""Accounts and contacts: list them, and show one with what hangs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfactl.api.errors import NotFound
from sfactl.opportunities.deals import number
from sfactl.opportunities.model import Customer
from sfactl.workspace.aliases import living

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session


def list_accounts(session: Session, *, owner: str | None = None, limit: int = 0) -> pa.Table:
    """Accounts with how many contacts and deals they have, and what was won."""
    return _listed(session, "accounts", owner, limit)


def list_contacts(session: Session, *, owner: str | None = None, limit: int = 0) -> pa.Table:
    """Contacts with the name of their account."""
    return _listed(session, "contacts", owner, limit)


def show_account(session: Session, ref: str) -> Customer:
    """One account with its contacts, deals and the leads it came from. Raises `NotFound`."""
    with session.query() as query:
        row = _one(query, "accounts", ref, "account")
        _tell(session, ref, row["account_id"], "account")
        wanted = {"id": row["account_id"]}
        return Customer(
            fields=row,
            related={
                "contacts": _rows(
                    query,
                    "select contact_id, full_name, title, email, phone from contacts where account_id = $id order by 1",
                    wanted,
                ),
                "opportunities": _rows(
                    query,
                    "select opportunity_id, name, stage, amount, currency, owner, close_date from opportunities"
                    " where account_id = $id order by 1",
                    wanted,
                ),
                "leads": _rows(
                    query,
                    "select lead_id, full_name, source, campaign, converted_at from leads"
                    " where account_id = $id order by 1",
                    wanted,
                ),
            },
        )


def show_contact(session: Session, ref: str) -> Customer:
    """One contact with the account and the deals. Raises `NotFound`."""
    with session.query() as query:
        row = _one(query, "contacts", ref, "contact")
        _tell(session, ref, row["contact_id"], "contact")
        wanted = {"id": row["contact_id"], "account": row["account_id"]}
        return Customer(
            fields=row,
            related={
                "accounts": _rows(
                    query, "select account_id, name, country from accounts where account_id = $account", wanted
                ),
                "opportunities": _rows(
                    query,
                    "select opportunity_id, name, stage, amount, currency, owner, close_date from opportunities"
                    " where contact_id = $id order by 1",
                    wanted,
                ),
            },
        )


def _listed(session: Session, name: str, owner: str | None, limit: int) -> pa.Table:
    with session.query() as query:
        sql = query.statement("opportunities", name) + (f" limit {int(limit)}" if limit else "")
        return query.table(sql, {"owner": owner})


def _tell(session: Session, ref: str, found: int, singular: str) -> None:
    """Say so where the number asked for is that of a record merged into another."""
    if (asked := number(ref, singular)) != found:
        session.note(f"{singular}:{asked} was merged into {singular}:{found}.")


def _one(query: Query, dataset: str, ref: str, singular: str) -> dict[str, Any]:
    wanted = number(ref, singular)
    row = query.get(dataset, living(query, singular, wanted))
    if row is None:
        raise NotFound(f"there is no {singular} {wanted}", hint=f"See: sfactl {singular} list")
    return row


def _rows(query: Query, sql: str, params: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return tuple(query.table(sql, params).to_pylist())
