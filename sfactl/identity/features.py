"""Make one table of folded records, numbered by their content and not by when they came.

Names are taken apart, mailboxes that several people read are marked, phones keep their last digits, and texts become
lists of weighted words.
"""

from __future__ import annotations

from sfactl.engine.companies import without_form
from sfactl.engine.duck import Query
from sfactl.engine.mailboxes import ROLES, is_free_mail
from sfactl.identity.fields import NAMES, Chosen
from sfactl.identity.folding import fold_columns
from sfactl.identity.names import split_names
from sfactl.identity.tokens import ORDINALS, STREET_WORDS, weigh

RECORDS = "match_records"
_INITIALS = "least(left(g, 1), left(f, 1)) || greatest(left(g, 1), left(f, 1))"
"""What tells people with one phone apart: slips and the order of names rarely change it."""
_TEXTS = ("given", "family", "full", "company", "street", "city", "region")


def build(query: Query, dataset: str, key: str, chosen: Chosen, where: str, source: str) -> int:
    """Make the table `RECORDS` of the rows of ``dataset`` for which ``where`` holds; answers how many.

    ``source`` is the SQL of the place a record came from; rows without any value that counts are left out.
    """
    _raw(query, dataset, key, chosen, where, source)
    _fold(query, chosen)
    parts = ["id", "src"]
    if chosen.has_names:
        parts += split_names(query, "match_folded", [n for n in NAMES if n in chosen.roles])
    parts += [*_reach(query, chosen), *_place(chosen), *_rest(chosen)]
    query.run(f"create or replace temp table match_parts as select {', '.join(parts)} from match_folded")
    answer = query.one("select count(*) from match_parts")
    records = int(answer[0]) if answer else 0
    _number(query, chosen, records)
    return records


def _raw(query: Query, dataset: str, key: str, chosen: Chosen, where: str, source: str) -> None:
    cells = {role: f"nullif(trim(cast({sql} as varchar)), '')" for role, sql in chosen.roles.items()}
    cells |= {e.feature: f"nullif(trim(cast({e.column} as varchar)), '')" for e in chosen.extras}
    if "full" in cells:  # "Family, Given" is turned round while the comma is still there
        name = cells["full"]
        turned = f"trim(split_part({name}, ',', 2)) || ' ' || trim(split_part({name}, ',', 1))"
        cells["full"] = f"case when contains({name}, ',') then {turned} else {name} end"
    listed = "".join(f', {sql} as "{name}"' for name, sql in cells.items())
    filled = " or ".join(f'"{name}" is not null' for name in cells) or "false"
    query.run(
        "create or replace temp table match_raw as select * from"
        f" (select {key} as id, {source} as src{listed} from {dataset} where {where}) where {filled}"
    )


def _fold(query: Query, chosen: Chosen) -> None:
    texts = [t for t in _TEXTS if t in chosen.roles]
    texts += [e.feature for e in chosen.extras if e.kind in ("text", "word")]
    quoted = [f'"{t}"' for t in texts]
    cells = [f"{sql} as {name}" for name, sql in zip(quoted, fold_columns(query, "match_raw", quoted), strict=True)]
    replaced = f"replace ({', '.join(cells)})" if cells else ""
    query.run(f"create or replace temp table match_folded as select * {replaced} from match_raw")


def _reach(query: Query, chosen: Chosen) -> list[str]:
    """SQL of mail, ml (its local part where it may identify), md (domain); phone, p7; site; tax; born."""
    made = []
    if "email" in chosen.roles:
        local = "regexp_replace(split_part(lower(email), '@', 1), '[+].*$', '')"
        domain = "nullif(split_part(lower(email), '@', 2), '')"
        query.run(
            f"create or replace temp table match_folded as select *, {domain} as md_,"
            f" case when {domain} in ('gmail.com', 'googlemail.com') then replace({local}, '.', '') else {local} end"
            " as ml_ from match_folded"
        )
        domains = query.rows("select distinct md_ from match_folded where md_ is not null")
        free = ", ".join(f"'{d[0].replace(chr(39), '')}'" for d in domains if is_free_mail(d[0])) or "''"
        role = f"translate(ml_, '._-', '') in ({', '.join(repr(r) for r in ROLES)})"
        own = f"case when md_ not in ({free}) then regexp_replace(md_, '^www[.]', '') end"
        made += [
            f"case when not ({role}) then ml_ || '@' || md_ end as mail", "md_ as md",
            f"case when length(ml_) >= 5 and not ({role}) then ml_ end as ml",
        ]  # fmt: skip
    site = "regexp_extract(lower(website), '^(?:[a-z]+://)?(?:www[.])?([^/:?#]+)', 1)"
    homes = [f"nullif({site}, '')"] if "website" in chosen.roles else []
    homes += [own] if "email" in chosen.roles else []
    made += [f"coalesce({', '.join(homes)}) as site"] if homes else []
    if "phone" in chosen.roles:
        digits = "regexp_replace(phone, '[^0-9]', '', 'g')"
        made += [
            f"case when length({digits}) >= 6 then right({digits}, 9) end as phone",
            f"case when length({digits}) >= 7 then right({digits}, 7) end as p7",
        ]
    if "tax_id" in chosen.roles:
        made.append("nullif(regexp_replace(upper(tax_id), '[^0-9A-Z]', '', 'g'), '') as tax")
    if "birth_date" in chosen.roles:
        made.append("strftime(try_cast(birth_date as date), '%Y%m%d') as born")
    return made


def _place(chosen: Chosen) -> list[str]:
    """SQL of st (street), num (its first number), zip, city, region."""
    made = []
    if "street" in chosen.roles:
        # "3rd" is the name of a street and no number of a house; native addresses have no blanks around theirs.
        plain = "regexp_extract(' ' || street || ' ', ' ([0-9]+)[a-z]? ', 1)"
        number = f"case when strlen(street) = length(street) then {plain} else regexp_extract(street, '[0-9]+') end"
        made += ["street as st", f"nullif({number}, '') as num"]
    if "postal_code" in chosen.roles:
        code = "regexp_replace(upper(postal_code), '[^0-9A-Z]', '', 'g')"
        # The four digits that the United States add say nothing that others leave out.
        american = f"length({code}) = 9 and regexp_full_match({code}, '[0-9]+')"
        made.append(f"nullif(case when {american} then left({code}, 5) else {code} end, '') as zip")
    made += [f"{c} as {c}" for c in ("city", "region") if c in chosen.roles]
    return made


def _rest(chosen: Chosen) -> list[str]:
    """SQL of co (company without its legal form) and of the extras e0, e1 …"""
    made = [f"{without_form('company')} as co"] if "company" in chosen.roles else []
    for e in chosen.extras:
        f = e.feature
        if e.kind == "code":
            made.append(f"nullif(regexp_replace(upper({f}), '[^0-9A-Z]', '', 'g'), '') as {f}")
        elif e.kind == "date":
            made.append(f"strftime(try_cast({f} as date), '%Y%m%d') as {f}")
        elif e.kind in ("number", "year"):
            made.append(f"try_cast(regexp_replace({f}, '[^0-9.-]', '', 'g') as double) as {f}")
        else:
            made.append(f)
    return made


def texts(chosen: Chosen) -> list[str]:
    """Features that are compared word by word."""
    return [*(["co"] if "company" in chosen.roles else []), *(e.feature for e in chosen.extras if e.kind == "text")]


def _number(query: Query, chosen: Chosen, records: int) -> None:
    """Make `RECORDS`: the features with their words, numbered by a hash of the content.

    Equal content may be numbered either way round: nothing depends on it.
    """
    joins, more = [], []
    for f in texts(chosen):
        weigh(query, f"match_w_{f}", [f], "match_parts", records)
        joins.append(f"left join match_w_{f} w_{f} on w_{f}.v = m.{f}")
        more += [f"w_{f}.ids as {f}_ids", f"w_{f}.weight as {f}_w", f"w_{f}.mask as {f}_m"]
    if chosen.has_place:
        have = [c for c, role in (("st", "street"), ("city", "city"), ("region", "region")) if role in chosen.roles]
        weigh(query, "match_w_place", have, "match_parts", records, without=STREET_WORDS, alike=ORDINALS)
        joins += [f"left join match_w_place w_{c} on w_{c}.v = m.{c}" for c in have]
        if "street" in chosen.roles:
            masks = " | ".join(f"coalesce(w_{c}.mask, 0)" for c in have)
            lists = ", ".join(f"coalesce(w_{c}.ids, [])" for c in have)
            more += [
                "w_st.ids as st_ids",
                "w_st.weight as st_w",
                "w_st.mask as st_m",
                f"{masks} as ad_m",
                f"list_concat({lists}) as ad_ids",
            ]
    for f in [f for f, role in (("mail", "email"), ("phone", "phone")) if role in chosen.roles and chosen.has_names]:
        query.run(
            f"create or replace temp table match_{f}_c as select {f} as v from match_parts where {f} is not null"
            f" and g is not null and f is not null group by {f} having count(distinct {_INITIALS}) > 1"
        )
        joins.append(f"left join match_{f}_c c_{f} on c_{f}.v = m.{f}")
        more.append(f"c_{f}.v is not null as {f}_c")
    query.run(
        f"create or replace temp table {RECORDS} as"
        " select row_number() over (order by h, m.id)::integer - 1 as rid, m.* exclude (h)"
        f"{''.join(', ' + c for c in more)}"
        f" from (select *, hash(*columns(* exclude (id))) as h from match_parts) m {' '.join(joins)}"
    )
