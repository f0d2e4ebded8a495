"""Convert sales-qualified leads: account, contact and opportunity in one commit, and never a second time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import PolicyError, UserError
from sfactl.config.stages import Pipeline, is_empty, pipeline_of, read_pipelines
from sfactl.engine.mailboxes import free_mail
from sfactl.engine.money import minor_digits
from sfactl.leads.conversion import Conversion, Converted, Deal, Refused
from sfactl.leads.lifecycle import MOVES
from sfactl.leads.named_leads import find_leads

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace import Transaction

CHANGED = ("leads", "accounts", "contacts", "opportunities", "stage_events")
LISTED = 100
"""Converted leads that the answer names one by one."""


def convert(
    session: Session, refs: Sequence[str] = (), *, all_sql: bool = False, deal: Deal | None = None
) -> Conversion:
    """Convert the leads named by ``refs``, or every SQL, in one commit over all five datasets.

    A lead converted before is reported and left alone. A named lead that is no SQL, or whose opportunity would miss a
    field that its first stage asks for, raises `PolicyError` and nothing is written; among all SQLs such leads are
    listed as refused.
    """
    if bool(refs) == all_sql:
        raise UserError("say which leads: name them, or --all-sql for every sales-qualified one")
    deal = deal or Deal()
    pipeline = pipeline_of(read_pipelines(session.folder), deal.pipeline)
    values = _values(session, deal, pipeline)
    with session.write(*CHANGED) as tx:
        ids = find_leads(tx.query, refs)
        already, refused = _pick(tx.query, ids, all_sql=all_sql)
        refused += _without_required(tx.query, pipeline, values)
        if refused and refs:
            raise PolicyError("; ".join(f"lead:{r.lead_id} {r.reason}" for r in refused[:5]), hint=_hint(refused))
        count = _one(tx.query, "select count(*) from wanted")
        if not count:
            return _nothing(already, refused, dry_run=session.dry_run)
        _find_homes(tx.query)
        params = {**values, **_numbers(session, tx.query, count)}
        tx.query.run(f"create temp table conversions as {tx.query.statement('leads', 'lifecycle_conversions')}", params)
        _write(tx, params)
        return _commit(session, tx, already, refused)


def _values(session: Session, deal: Deal, pipeline: Pipeline) -> dict[str, Any]:
    """What every opportunity of this run begins with."""
    return {
        "amount": deal.amount,
        "currency": _currency(deal.currency or session.settings.workspace.currency),
        "close_date": deal.close_date,
        "pipeline": pipeline.name,
        "stage": pipeline.first.name,
        "probability": pipeline.first.probability,
        "now": session.now(),
        "actor": session.actor,
    }


def _currency(code: str) -> str:
    minor_digits(code)
    return code


def _pick(query: Query, ids: Sequence[int], *, all_sql: bool) -> tuple[tuple[int, ...], list[Refused]]:
    """Make the temporary table ``wanted``: the leads to convert. Answers those converted before, and those refused."""
    chosen = "coalesce(status, 'new') = 'sql'" if all_sql else "list_contains($ids, lead_id)"
    params = {"ids": list(ids)}
    rows = (
        []
        if all_sql
        else query.rows(f"select lead_id, coalesce(status, 'new') from leads where {chosen} order by lead_id", params)
    )
    already = tuple(lead_id for lead_id, status in rows if status == "converted")
    refused = [
        Refused(lead_id=lead_id, reason=f"is {status}; only an SQL is converted")
        for lead_id, status in rows
        if "converted" not in (status, *MOVES.get(status, ()))
    ]
    query.run(f"create temp table wanted as select lead_id from leads where {chosen} and status = 'sql'", params)
    return already, refused


def _without_required(query: Query, pipeline: Pipeline, values: dict[str, Any]) -> list[Refused]:
    """Take those leads out of ``wanted`` whose opportunity would miss a field that the first stage asks for."""
    refused = []
    from_lead = {"amount": "budget", "product_interest": "product_interest", "source": "source", "campaign": "campaign"}
    from_lead["owner"] = "owner"
    given = {"name", "account_id", "contact_id", "lead_id", "pipeline", "stage", "category", "probability", "cycle_no"}
    for field in pipeline.required(None, pipeline.first):
        if field in given or not is_empty(values.get(field)):
            continue
        empty = f"nullif(trim(cast(\"{from_lead[field]}\" as varchar)), '') is null" if field in from_lead else "true"
        rows = query.rows(
            f"select lead_id from leads where lead_id in (select lead_id from wanted) and {empty} order by lead_id"
        )
        reason = f"lacks {field}, which stage {pipeline.first.name} asks for"
        refused += [Refused(lead_id=row[0], reason=reason) for row in rows]
        query.run("delete from wanted where list_contains($ids, lead_id)", {"ids": [row[0] for row in rows]})
    return refused


def _find_homes(query: Query) -> None:
    """Make ``homes``: each lead with its account, a known one or (negative) one to be made from a lead."""
    _make(query, "keys")
    domains = query.rows(
        "select mail from keys where mail is not null union select site from keys where site is not null"
    )
    query.run(
        "create temp table free_mail as select unnest($names) as domain",
        {"names": free_mail(row[0] for row in domains) or [""]},
    )
    _make(query, "picked")
    _make(query, "known")
    query.run("create temp table homes (lead_id bigint, ref bigint, found_by varchar)")
    # Each round finds an account for some that wait, or makes one for the first of them.
    while waiting := _waiting(query):
        _make(query, "pool")
        query.run(f"insert into homes {query.statement('leads', 'lifecycle_homes')}")
        if _waiting(query) == waiting:
            query.run(f"insert into homes {query.statement('leads', 'lifecycle_seeds')}")


def _make(query: Query, name: str) -> None:
    query.run(f"create or replace temp table {name} as {query.statement('leads', f'lifecycle_{name}')}")


def _waiting(query: Query) -> int:
    return _one(query, "select count(*) from picked where lead_id not in (select lead_id from homes)")


def _numbers(session: Session, query: Query, count: int) -> dict[str, int]:
    # At most so many are made; gaps in the numbers are fine, and fewer statements are better.
    accounts = _one(query, "select count(distinct ref) from homes where ref < 0")
    return {
        "first_account": session.reserve("account", max(accounts, 1)),
        "first_contact": session.reserve("contact", count),
        "first_opportunity": session.reserve("opportunity", count),
        "seq": query.seq,
    }


def _write(tx: Transaction, params: dict[str, Any]) -> None:
    for dataset, name in (
        ("accounts", "lifecycle_accounts"),
        ("contacts", "lifecycle_contacts"),
        ("opportunities", "lifecycle_opportunities"),
        ("leads", "lifecycle_converted"),
    ):
        tx.upsert(dataset, tx.query.statement("leads", name), params)
    tx.append("stage_events", tx.query.statement("leads", "lifecycle_converted_events"), params)


def _commit(session: Session, tx: Transaction, already: tuple[int, ...], refused: Sequence[Refused]) -> Conversion:
    counts = tx.query.one(
        "select count(*), count(*) filter (where account_made), count(*) filter (where contact_made) from conversions"
    )
    leads, accounts, contacts = counts or (0, 0, 0)
    rows = tx.query.rows(
        "select v.lead_id, coalesce(l.full_name, l.email), v.account_id,"
        " coalesce(a.name, s.company, s.full_name, s.email), v.account_by, v.contact_id, v.opportunity_id"
        " from conversions v join leads l on l.lead_id = v.lead_id join homes h on h.lead_id = v.lead_id"
        " left join accounts a on a.account_id = v.account_id left join leads s on s.lead_id = -h.ref"
        f" order by v.lead_id limit {LISTED}"
    )
    commit = tx.commit(converted=leads, accounts_new=accounts, contacts_new=contacts)
    return Conversion(
        converted=leads,
        accounts_new=accounts,
        accounts_found=leads - accounts,
        contacts_new=contacts,
        contacts_found=leads - contacts,
        opportunities=leads,
        already=already,
        refused=tuple(refused),
        leads=tuple(
            Converted(
                lead_id=row[0],
                name=row[1],
                account_id=row[2],
                account=row[3],
                account_by=row[4],
                contact_id=row[5],
                opportunity_id=row[6],
            )
            for row in rows
        ),
        dry_run=session.dry_run,
        commit=commit.seq,
    )


def _nothing(already: tuple[int, ...], refused: Sequence[Refused], *, dry_run: bool) -> Conversion:
    return Conversion(
        converted=0,
        accounts_new=0,
        accounts_found=0,
        contacts_new=0,
        contacts_found=0,
        opportunities=0,
        already=already,
        refused=tuple(refused),
        dry_run=dry_run,
    )


def _hint(refused: Sequence[Refused]) -> str:
    if any("lacks" in r.reason for r in refused):
        return "Give it with the command (--amount, --currency, --close), or fill it in the lead."
    return "See what is missing: sfactl lead qualify --explain REF"


def _one(query: Query, sql: str) -> int:
    row = query.one(sql)
    return int(row[0]) if row else 0
