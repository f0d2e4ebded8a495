"""The profile of an account: every fact with its source and date, from its record, its leads, contacts and texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import NotFound, UserError
from sfactl.portrait.facts import FIELDS, OF_LEADS, SITUATION, Fact, Person, Profile, grouped, newest_first
from sfactl.portrait.usecases.bearers import find, row_of

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

MOST_COMMITS = 400
"""A record's changes are followed through so many commits of its dataset; beyond, its own dates have to do."""
MOST_LEADS = 50
"""Of more leads than this only the newest are asked for facts."""


def profile(session: Session, ref: str) -> Profile:
    """What is known about the account ``ref`` at ``--as-of``. Raises `NotFound`, or `UserError` for another kind."""
    with session.query() as query:
        ((kind, number),) = find(query, [ref if ":" in ref or "@" in ref else f"account:{ref}"])
        if kind == "lead":
            lead = row_of(query, "lead", number)
            if lead["account_id"] is None:
                raise UserError(f"lead:{number} has no account yet", hint=f"See: sfactl timeline lead:{number}")
            number = int(lead["account_id"])
        elif kind == "contact":
            number = int(row_of(query, "contact", number)["account_id"] or 0)
        account = row_of(query, "account", number)
        leads = query.table(
            "select * from leads where account_id = $id order by updated_at desc nulls last, lead_id limit $n",
            {"id": number, "n": MOST_LEADS},
        ).to_pylist()
        facts = [*_of_record(session, "accounts", account, f"account:{number}")]
        for row in leads:
            facts += _of_record(session, "leads", row, f"lead:{row['lead_id']}")
        facts += _from_outside(query, number, [row["lead_id"] for row in leads])
        now = session.as_of_time()
        facts = [fact for fact in facts if fact.at is None or fact.at <= now]
        return Profile(
            ref=f"account:{number}",
            name=account["name"],
            known=grouped(facts),
            situation=newest_first(fact for fact in facts if fact.field in SITUATION),
            people=_people(query, number),
            tags=_tags(query, number, now),
            intents=_intents(query, number, now),
            said=_said(query, number, now),
        )


def _of_record(session: Session, dataset: str, row: Mapping[str, Any], ref: str) -> Iterator[Fact]:
    """The facts that a record holds, each since the commit that brought its value."""
    since = _since(session, dataset, row)
    # A lead says where it comes from; the account's own record was made from one.
    origin = row.get("source") if dataset == "leads" else None
    event = row.get("event") if dataset == "leads" else None
    source = f"{ref} ({', '.join(filter(None, (origin, event)))})" if origin or event else ref
    for column, value in row.items():
        field = OF_LEADS.get(column, column) if dataset == "leads" else column
        if value is None or value == "" or field not in (*FIELDS, *SITUATION):
            continue
        at, actor = since.get(column, (row.get("updated_at") or row.get("created_at"), None))
        yield Fact(field=field, value=_text(value), source=source, at=at, actor=actor)


def _since(session: Session, dataset: str, row: Mapping[str, Any]) -> dict[str, tuple[datetime, str | None]]:
    """When, and by whom, each field got the value it has; empty where the history is too long to follow."""
    from sfactl.workspace.history import row_history

    key = row[session.workspace.schemas[dataset].key[0]]
    until = session.seq(session.as_of)
    commits = session.workspace.manifest.one("select count(distinct added_seq) from files where dataset = ?", dataset)
    if commits is None or commits[0] > MOST_COMMITS:
        return {}
    try:
        changes = row_history(session.workspace, dataset, [key])
    except NotFound:
        return {}
    return {c.field: (c.at, f"{c.actor}, {c.command}") for c in changes if until is None or c.seq <= until}


def _from_outside(query: Query, account: int, leads: list[int]) -> Iterator[Fact]:
    """What providers of outside data say, taken over or not."""
    rows = query.rows(
        "select field, value, provider, fetched_at from enrichments where value is not null and"
        " ((entity = 'account' and entity_id = $id) or (entity = 'lead' and list_contains($leads, entity_id)))"
        " order by provider, field",
        {"id": account, "leads": leads},
    )
    for field, value, provider, at in rows:
        yield Fact(field=OF_LEADS.get(field, field), value=value, source=f"provider {provider}", at=at)


def _people(query: Query, account: int) -> tuple[Person, ...]:
    rows = query.rows(
        "select contact_id, full_name, title, email, phone from contacts where account_id = $id order by contact_id",
        {"id": account},
    )
    return tuple(Person(ref=f"contact:{r[0]}", name=r[1], title=r[2], email=r[3], phone=r[4]) for r in rows)


WHOSE = (
    "({0}.account_id = $id or {0}.contact_id in (select contact_id from contacts where account_id = $id)"
    " or {0}.lead_id in (select lead_id from leads where account_id = $id))"
)
"""Rows of the account itself, of its contacts and of its leads."""


def _tags(query: Query, account: int, now: datetime) -> tuple[Fact, ...]:
    rows = query.rows(
        "select t.tag, t.value, t.source, t.author, t.at, t.entity, t.entity_id, t.expires_at from tags as t"
        f" where {WHOSE.format('t')} and t.at <= $now and (t.expires_at is null or t.expires_at > $now)"
        " order by t.at desc, t.tag, t.entity, t.entity_id, t.source, t.author",
        {"id": account, "now": now},
    )
    return tuple(
        Fact(
            field="tag",
            value=(f"{tag}={value}" if value else tag) + (f" until {ends:%Y-%m-%d}" if ends else ""),
            source=f"{source} on {entity}:{number}",
            at=at,
            actor=author,
        )
        for tag, value, source, author, at, entity, number, ends in rows
    )


def _intents(query: Query, account: int, now: datetime) -> tuple[Fact, ...]:
    rows = query.rows(
        "select i.label, count(*), max(i.at), max(i.confidence), i.extractor from intents as i"
        f" where {WHOSE.format('i')} and i.at <= $now group by i.label, i.extractor order by max(i.at) desc, i.label",
        {"id": account, "now": now},
    )
    return tuple(
        Fact(
            field="intent",
            value=f"{label}, said {times} {'time' if times == 1 else 'times'}",
            source=f"{extractor}, confidence {sure:.2f}",
            at=at,
        )
        for label, times, at, sure, extractor in rows
    )


def _said(query: Query, account: int, now: datetime) -> tuple[Fact, ...]:
    rows = query.rows(
        "select t.kind, t.text, t.at, t.actor, t.event_id from touchpoints as t"
        f" where {WHOSE.format('t')} and t.text is not null and t.text <> '' and t.at <= $now"
        " order by t.at desc, t.event_id limit 10",
        {"id": account, "now": now},
    )
    return tuple(
        Fact(field=kind, value=text, source=event, at=at, actor=actor) for kind, text, at, actor, event in rows
    )


def _text(value: Any) -> str:
    text = str(value)
    return text.rstrip("0").rstrip(".") if "." in text and text.replace(".", "", 1).lstrip("-").isdigit() else text
