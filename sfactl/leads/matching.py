"""Match clean rows with each other and with known leads by exact keys, and say what each row is.

Rows of one person inside a file collapse in file order. The order of the keys decides: the id of the same namespace,
then the e-mail without case, then the phone together with the name. Who has a phone and a name in common is one person
under two addresses too; a phone without a name may be a switchboard. Two different ids of one namespace are two leads,
whatever else they share. A row without any key is refused; where none is mapped, the whole row is the key, and
identical rows are told apart by how many there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import literal
from sfactl.leads.identities import are_there, known_keys
from sfactl.leads.model import IdentityKey, Plan

LONGEST_CHAIN = 20
"""Rounds in which rows are joined that know each other through others."""
LABELS: Mapping[str, str] = {"external_id": "id", "email": "e-mail", "phone": "phone", "tax_id": "tax id"}


def key_columns(keys: Sequence[IdentityKey], fields: Sequence[str]) -> dict[str, str]:
    """Key → SQL over clean rows."""
    person = [f"lower({f})" for f in ("full_name", "company") if f in fields]
    who = f"coalesce({', '.join(person)}, '')" if person else "''"
    made = {
        "external_id": "external_id",
        "email": "lower(email)",
        "phone": f"phone || '|' || {who}",
        "tax_id": "lower(tax_id)",
        "row": "_key || ':' || row_number() over (partition by _key order by _row)",
    }
    return {k: made[k] for k in keys}


def no_key_reason(keys: Sequence[IdentityKey]) -> str:
    """Why a row without any key is refused."""
    return " and ".join(f"no {LABELS.get(k, k)}" for k in keys)


def prepare(query: Query, cleaned: str, plan: Plan, fields: Sequence[str]) -> None:
    """Make the table ``keyed``: each good row with its keys and its group, the first row of its person."""
    keys = key_columns(plan.keys, fields)
    columns = ", ".join(f"{sql} as k_{k}" for k, sql in keys.items())
    named = "full_name is not null" if "full_name" in fields else "false"
    query.run(
        f"create or replace temp table plain_keys as select _row, {named} as _named, {columns} from {cleaned}"
        " where _reason is null"
    )
    known = " or ".join(f"k_{k} is not null" for k in keys)
    query.run(f"create or replace temp view with_key as select * from plain_keys where {known}")
    group = _group(query, list(keys))
    query.run(f"create or replace temp table keyed as select *, {group} as _person from with_key")
    if "phone" in plan.keys[1:] and "full_name" in fields:
        _join_addresses(query, with_id=plan.keys[0] == "external_id")


def _join_addresses(query: Query, *, with_id: bool) -> None:
    """Make one person of those in ``keyed`` with a phone and a name in common; ids of their own keep them apart."""
    # Numbers are compared before texts: in most files nobody comes under two addresses.
    query.run(
        "create or replace temp table meeting as select k_phone from keyed where _named and hash(k_phone) in"
        " (select hash(k_phone) from keyed where _named and k_phone is not null group by 1"
        "  having min(hash(_person)) <> max(hash(_person))) group by 1 having min(_person) <> max(_person)"
    )
    sure = "starts_with(_person, '0')" if with_id else "false"
    for _ in range(LONGEST_CHAIN):
        query.run(
            "create or replace temp table joining as select _person, arg_min(into_, place) as into_ from"
            " (select m._person, t._person as into_, t.place from"
            f"  (select distinct k_phone, _person from keyed semi join meeting using (k_phone) where not {sure}) m"
            "  join (select k_phone, arg_min(_person, place) as _person, min(place) as place from"
            "   (select k.k_phone, k._person, p.place from keyed k semi join meeting using (k_phone)"
            f"    join (select _person, min(_row) + case when {sure} then 0 else 1e15::bigint end as place from keyed"
            "     group by 1) p using (_person) where k._named) group by 1) t using (k_phone)"
            "  where t._person <> m._person) group by 1"
        )
        if not query.rows("select 1 from joining limit 1"):
            return
        query.run("update keyed set _person = j.into_ from joining j where j._person = keyed._person")


def _group(query: Query, keys: list[str]) -> str:
    """SQL for a row's person: its first key, or that of an earlier-keyed row it shares a later key with."""
    tagged = [f"'{i}' || k_{k}" for i, k in enumerate(keys)]
    choices = [tagged[0]]
    for i in range(1, len(keys)):
        later = keys[i]
        before = " and ".join(f"k_{k} is null" for k in keys[:i])
        answer = query.one(f"select count(*) from with_key where {before} and k_{later} is not null")
        if answer and answer[0]:
            anchor = f"anchor_{later}"
            first = f"coalesce({', '.join(tagged[:i])})"
            query.run(
                f"create or replace temp table {anchor} as select k_{later} as k, arg_min({first}, _row) as person"
                f" from with_key where not ({before}) and k_{later} in"
                f" (select k_{later} from with_key where {before}) group by 1"
            )
            choices.append(
                f"case when k_{later} is not null then"
                f" coalesce((select person from {anchor} where k = k_{later}), {tagged[i]}) end"
            )
        else:
            choices.append(tagged[i])
    return f"coalesce({', '.join(choices)})"


def assign(query: Query, plan: Plan, existing: bool) -> None:
    """Make ``persons`` (person, first row, rows, known lead) and ``assigned`` (row, person, known lead)."""
    keys = list(plan.keys)
    query.run(
        "create or replace temp table persons as select _person, min(_row) as first_row, count(*) as n,"
        f" {_has_id(keys)} as has_id from keyed group by 1"
    )
    if not existing:
        query.run("create or replace temp table claims as select _person, 0::bigint as lead_id from persons limit 0")
        return
    too = are_there(query)
    found = [_known_by(k, plan, too=too) for k in keys]
    matches = ", ".join(f"min(m_{k}) as m_{k}" for k in keys)
    columns = ", ".join(f"{f.lead} as m_{k}" for k, f in zip(keys, found))
    best = ", ".join(f"m_{k}" for k in keys)
    query.run(
        f"create or replace temp table wanted as select _person, coalesce({best}) as lead_id, m_{keys[0]} as sure from"
        f" (select _person, {matches} from (select keyed._person, {columns} from keyed"
        f" {' '.join(f.joins for f in found)}) group by 1)"
    )
    # A lead has one id of a namespace, or after a merge those of both, which are sure. Of other persons with an id of
    # their own the first one claims it.
    query.run(
        "create or replace temp table claims as select _person, lead_id from"
        " (select w._person, w.lead_id, p.has_id, w.sure, row_number() over (partition by w.lead_id, p.has_id"
        "  order by (w.sure is null), p.first_row) as place from wanted w join persons p using (_person)"
        "  where w.lead_id is not null) where place = 1 or not has_id or sure is not null"
    )


def _has_id(keys: Sequence[str]) -> str:
    return "bool_or(k_external_id is not null)" if "external_id" in keys else "false"


@dataclass(frozen=True, slots=True)
class _Known:
    """How known leads are found by one key: joins to ``keyed``, and the SQL of the lead found."""

    joins: str
    lead: str


def _known_by(key: str, plan: Plan, *, too: bool) -> _Known:
    """Known leads by one key; where several share it, the oldest. ``too``: also by keys they had before."""
    known = "(select k, min(lead_id) as lead_id from ({}) group by 1)"
    every = known.format(known_keys(key, plan.namespace, too=too))
    joins = f"left join {every} e_{key} on e_{key}.k = keyed.k_{key}"
    if key in ("external_id", "row") or "external_id" not in plan.keys:
        return _Known(joins, f"e_{key}.lead_id")
    # A row with an id may only meet leads that have no other id of the same namespace.
    mine = literal(plan.namespace)
    only = f"(external_id is null or id_namespace is distinct from {mine})"
    if too:
        only += (
            f" and lead_id not in (select lead_id from identities where kind = 'external_id' and namespace = {mine})"
        )
    free = known.format(known_keys(key, plan.namespace, too=too, only=only))
    joins += f" left join {free} f_{key} on f_{key}.k = keyed.k_{key}"
    return _Known(joins, f"case when keyed.k_external_id is null then e_{key}.lead_id else f_{key}.lead_id end")


def number_leads(query: Query, plan: Plan, first_id: int) -> None:
    """Make ``assigned``: every keyed row with the lead it belongs to, known or with a number from ``first_id``."""
    query.run(
        "create or replace temp table leads_of as select p._person, coalesce(c.lead_id, $first - 1 + row_number() over"
        " (partition by c.lead_id is null order by p.first_row)) as lead_id, c.lead_id is null as fresh, p.n"
        " from persons p left join claims c using (_person)",
        {"first": first_id},
    )
    several = query.one("select max(n) > 1 or count(*) > count(distinct lead_id) from leads_of")
    many = "count(*) over (partition by l.lead_id)" if several and several[0] else "1"
    row_key = "k.k_row" if "row" in plan.keys else "cast(null as varchar)"
    query.run(
        f"create or replace temp table assigned as select k._row, l.lead_id, l.fresh, {row_key} as row_key, {many} as n"
        " from keyed k join leads_of l using (_person)"
    )


def fresh_leads(query: Query) -> int:
    """How many leads are to be made."""
    answer = query.one("select count(*) from persons where _person not in (select _person from claims)")
    return int(answer[0]) if answer else 0
