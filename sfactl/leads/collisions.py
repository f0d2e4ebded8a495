"""Refuse rows of a file that would make a new lead of a customer whom a rep protects, with the rep and until when.

A row that belongs to a known lead is no collision: it brings that lead up to date, and the lead keeps its owner. Pulled
sources and posts of forms are never refused, for behind them is a person who came to us.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path

from sfactl.config.pool import read_pool
from sfactl.engine.duck import Query

COLUMNS: Mapping[str, tuple[str, str]] = {
    "company": ("company_key", "nullif({0}.company_key, '')"),
    "tax_id": ("tax_id", "nullif(lower(regexp_replace({0}.tax_id, '[^0-9A-Za-z]', '', 'g')), '')"),
    "phone": ("phone", "nullif({0}.phone, '')"),
    "email": ("email", "nullif(lower({0}.email), '')"),
}
"""Key → the field it needs, and its SQL over a row."""


def guarded_keys(folder: Path, kind: str) -> tuple[str, ...]:
    """The keys by which rows of an import of this ``kind`` may collide; none where nothing is refused."""
    rules = read_pool(folder) if kind == "file" else None
    return rules.collision.keys if rules is not None and rules.collision.imports == "refuse" else ()


def guarded(
    query: Query, source: str, fields: Collection[str], keys: Collection[str], *, now: datetime, actor: str
) -> str | None:
    """The clean rows of ``source`` with a reason for each that collides; None where none does.

    Needs the tables ``keyed`` and ``claims`` of the matching. Rows of the holder's own are let through.
    """
    usable = {k: sql for k, (field, sql) in COLUMNS.items() if k in keys and field in fields}
    if not usable or query.one("select 1 from lead_pool where protected_until > $now limit 1", {"now": now}) is None:
        return None
    _protected_keys(query, usable, now, actor)
    owner = "c.owner" if "owner" in fields else "cast(null as varchar)"
    ours = " union all ".join(
        f"select c._row, '{k}' as kind, {sql.format('c')} as key, {owner} as owner from fresh_rows as c"
        for k, sql in usable.items()
    )
    query.run(
        f"create or replace temp table fresh_rows as select c.* from {source} as c join keyed as k on k._row = c._row"
        " where k._person not in (select _person from claims where lead_id is not null)"
    )
    query.run(
        "create or replace temp table collided as select o._row, min('the same ' || p.kind || ' as lead:' || p.lead_id"
        " || ', protected by ' || p.holder || ' until ' || strftime(p.until, '%Y-%m-%d')) as reason"
        f" from ({ours}) as o join protected_keys as p on p.kind = o.kind and p.key = o.key"
        " where o.owner is distinct from p.holder group by o._row"
    )
    if query.one("select 1 from collided limit 1") is None:
        return None
    query.run(
        "create or replace temp view guarded_rows as select c.* replace (coalesce(c._reason, x.reason) as _reason)"
        f" from {source} as c left join collided as x on x._row = c._row"
    )
    return "guarded_rows"


def _protected_keys(query: Query, usable: Mapping[str, str], now: datetime, actor: str) -> None:
    """Make the table ``protected_keys``: each key of a customer whom somebody else protects, and who for longest."""
    held = (
        "lead_pool as p join leads as l on l.lead_id = p.lead_id and l.owner = p.holder"
        " where p.protected_until > $now and p.holder <> $actor"
    )
    theirs = " union all ".join(
        f"select '{k}' as kind, {sql.format('l')} as key, l.lead_id, p.holder, p.protected_until as until from {held}"
        for k, sql in usable.items()
    )
    query.run(
        "create or replace temp table protected_keys as select kind, key, arg_max(holder, until) as holder,"
        " max(until) as until, arg_max(lead_id, until) as lead_id"
        f" from ({theirs}) as k where key is not null group by kind, key",
        {"now": now, "actor": actor},
    )
