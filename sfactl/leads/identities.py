"""Remember every key a lead was ever known by, so that what is known under an old one never makes a second lead.

A key in the lead's own row is not repeated here. Kept are the keys that a newer value replaced, and those of rows that
were matched by another key. A row that comes with such a key says nothing new by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import literal
from sfactl.leads.model import Plan
from sfactl.workspace import Transaction

OWN: Mapping[str, str] = {
    "external_id": "external_id",
    "row": "row_key",
    "email": "lower(email)",
    "phone": "phone || '|' || coalesce(lower(full_name), lower(company), '')",
    "tax_id": "lower(tax_id)",
}
"""Key → SQL over a lead's own row."""

SPACED = frozenset({"external_id", "row"})
"""Keys that hold only within their namespace."""

_SEEN = "lead_id, external_id, id_namespace, row_key, email, phone, full_name, company, tax_id"
"""Columns of a lead that `OWN` reads."""
REPLACED = ("email", "phone", "tax_id")
"""Keys that a newer value may replace in the row."""


def are_there(query: Query) -> bool:
    """Whether any lead is known by more than its row."""
    return bool(query.rows("select 1 from identities limit 1"))


def known_keys(key: str, namespace: str, *, too: bool, only: str = "true") -> str:
    """SELECT k, lead_id of leads known by ``key``; ``too`` adds the remembered ones, ``only`` is a test on leads."""
    inside = f"id_namespace = {literal(namespace)}" if key in SPACED else "true"
    own = f"select {OWN[key]} as k, lead_id from leads where {OWN[key]} is not null and {inside} and {only}"
    if not too:
        return own
    space = literal(namespace if key in SPACED else "")
    return (
        f"{own} union all select value as k, lead_id from identities where kind = {literal(key)}"
        f" and namespace = {space} and lead_id in (select lead_id from leads where {only})"
    )


def silence(query: Query, cleaned: str, fields: Sequence[str]) -> str:
    """A view of the clean rows in which a key that its lead is known by already is left out; answers its name."""
    parts = [f for f in REPLACED if f in fields]
    if not parts or not are_there(query):
        return cleaned
    joins, cells = [], []
    for field in parts:
        value = f"k.k_{field}" if field == "phone" else f"lower(c.{field})"
        joins.append(
            f"left join identities i_{field} on i_{field}.kind = '{field}' and i_{field}.namespace = ''"
            f" and i_{field}.value = {value} and i_{field}.lead_id = a.lead_id"
        )
        cells.append(f"case when i_{field}.value is null then c.{field} end as {field}")
    # Only matched rows carry the keys of matching; phone is compared together with the name, as there.
    keyed = "left join keyed k on k._row = c._row" if "phone" in parts and _has_column(query, "k_phone") else ""
    if "phone" in parts and not keyed:
        return silence(query, cleaned, [f for f in fields if f != "phone"])
    query.run(
        f"create or replace temp table told as select c.* replace ({', '.join(cells)}) from {cleaned} c"
        f" left join assigned a on a._row = c._row {keyed} {' '.join(joins)}"
    )
    return "told"


def _has_column(query: Query, column: str) -> bool:
    return column in query.describe("select * from keyed")


def remember(tx: Transaction, plan: Plan, rows: str, now: datetime) -> int:
    """Add the keys that the written leads are known by and no longer, or not, carry. ``rows`` selects their rows.

    Needs the tables ``keyed``, ``assigned`` and ``changes`` of the matching. Answers the number of keys.
    """
    query = tx.query
    keys = [k for k in plan.keys if k != "row"]
    query.run("create or replace temp table looked as select distinct lead_id from assigned where not fresh or n > 1")
    if not keys or not query.rows("select 1 from looked limit 1"):
        return 0
    among = "lead_id in (select lead_id from looked)"
    query.run(
        f"create or replace temp table after_rows as select {_SEEN} from ({rows}) where {among} union all"
        f" select {_SEEN} from leads where {among} and lead_id not in (select lead_id from changes)",
        {"now": now},
    )
    said = [_as_identity(k, plan, f"k_{k}", "keyed join assigned using (_row)", "not fresh or n > 1") for k in keys]
    replaced = [_as_identity(k, plan, OWN[k], "leads", "lead_id in (select lead_id from changes)") for k in REPLACED]
    own = [_as_identity(k, plan, OWN[k], "after_rows", "true") for k in {*keys, *REPLACED}]
    new = (
        f"select kind, value, namespace, min(lead_id) as lead_id from ({' union all '.join(said + replaced)}) as s"
        f" where value is not null and not exists (select 1 from ({' union all '.join(own)}) as o where o.kind = s.kind"
        "  and o.value = s.value and o.namespace = s.namespace and o.lead_id = s.lead_id)"
        " and not exists (select 1 from identities as i where i.kind = s.kind and i.value = s.value"
        "  and i.namespace = s.namespace) group by kind, value, namespace"
    )
    return tx.upsert("identities", f"select *, cast($now as timestamp) as since from ({new})", {"now": now})


def _as_identity(key: str, plan: Plan, value: str, source: str, where: str) -> str:
    space = literal(plan.namespace if key in SPACED else "")
    inside = f" and id_namespace = {space}" if key in SPACED and source in ("leads", "after_rows") else ""
    return (
        f"select '{key}' as kind, {value} as value, {space} as namespace, lead_id from {source} where ({where}){inside}"
    )


def remember_replaced(tx: Transaction, before: Mapping[str, object], after: Mapping[str, object], now: datetime) -> int:
    """Add the keys that one lead's row had ``before`` a change by hand and has not ``after`` it."""
    import pyarrow as pa

    columns = ("email", "phone", "full_name", "company", "tax_id")
    schema = pa.schema([("lead_id", pa.int64()), *((c, pa.string()) for c in columns)])
    for table, row in (("row_before", before), ("row_after", after)):
        tx.query.register(table, pa.Table.from_pylist([{n: row.get(n) for n in schema.names}], schema=schema))
    old, new = (
        " union all ".join(
            f"select '{k}' as kind, {OWN[k]} as value, '' as namespace, lead_id from {t}" for k in REPLACED
        )
        for t in ("row_before", "row_after")
    )
    return tx.upsert(
        "identities",
        f"select *, cast($now as timestamp) as since from ({old}) as s where value is not null"
        f" and value not in (select value from ({new}) where value is not null) and not exists"
        " (select 1 from identities as i where i.kind = s.kind and i.value = s.value and i.namespace = '')",
        {"now": now},
    )
