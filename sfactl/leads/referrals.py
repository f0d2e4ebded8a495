"""Find who a lead was referred by: a rep, another lead or a contact, named by e-mail, number, id or name.

The surest way of naming somebody counts: a number, then an e-mail address, an id, a rep, a name. A name that several
people have says nothing, and nobody refers to oneself.
"""

from __future__ import annotations

WANTED = "leads.referrer is not null and leads.referrer_id is null"
"""SQL over leads: whose referrer is to be found."""


def keys() -> str:
    """SELECT of all names that people may be given: k, kind, id, rank, namespace (of ids only)."""
    parts = (
        ("'lead:' || lead_id", "lead", "cast(lead_id as varchar)", 0, "null", "leads"),
        ("'contact:' || contact_id", "contact", "cast(contact_id as varchar)", 0, "null", "contacts"),
        ("'rep:' || lower(rep_id)", "rep", "rep_id", 0, "null", "reps"),
        ("lower(email)", "rep", "rep_id", 1, "null", "reps"),
        ("lower(email)", "lead", "cast(lead_id as varchar)", 2, "null", "leads"),
        ("value", "lead", "cast(lead_id as varchar)", 3, "null", "identities where kind = 'email'"),
        ("lower(email)", "contact", "cast(contact_id as varchar)", 4, "null", "contacts"),
        ("lower(external_id)", "lead", "cast(lead_id as varchar)", 5, "id_namespace", "leads"),
        ("lower(rep_id)", "rep", "rep_id", 7, "null", "reps"),
        ("lower(name)", "rep", "rep_id", 7, "null", "reps"),
        ("lower(full_name)", "lead", "cast(lead_id as varchar)", 8, "null", "leads"),
        ("lower(full_name)", "contact", "cast(contact_id as varchar)", 9, "null", "contacts"),
    )
    return " union all ".join(
        f"select {k} as k, '{kind}' as kind, {number} as id, {rank} as rank, cast({space} as varchar) as namespace"
        f" from {source}"
        for k, kind, number, rank, space, source in parts
    )


def found() -> str:
    """SELECT of one row a wanted lead: lead_id, referrer, kind and id of the referrer (null where unknown), people.

    ``people`` is how many the best way of naming fits: more than one is nobody.
    """
    # The same id in another namespace is another one's; it counts only where the lead's own namespace has none.
    rank = "case when k.rank = 5 and k.namespace is distinct from w.id_namespace then 6 else k.rank end"
    return (
        "with wanted as (select lead_id, referrer, id_namespace, lower(trim(referrer)) as k"
        f" from leads where {WANTED}),"
        f" met as (select w.lead_id, k.kind, k.id, {rank} as rank from wanted w join ({keys()}) k on k.k = w.k"
        " where not (k.kind = 'lead' and k.id = cast(w.lead_id as varchar))),"
        " best as (select lead_id, min(rank) as rank from met group by lead_id),"
        " said as (select m.lead_id, min(m.kind) as kind, min(m.id) as id,"
        " count(distinct m.kind || ':' || m.id) as people"
        " from met m join best b on b.lead_id = m.lead_id and b.rank = m.rank group by m.lead_id)"
        " select w.lead_id, w.referrer, case when s.people = 1 then s.kind end as kind,"
        " case when s.people = 1 then s.id end as id, coalesce(s.people, 0) as people"
        " from wanted w left join said s on s.lead_id = w.lead_id"
    )
