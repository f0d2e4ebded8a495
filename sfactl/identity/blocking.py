"""Choose which pairs are worth comparing: records that agree in some key, as long as not too many do.

Each key has an allowance of pairs. The commonest values give way first, until what is left fits; so a value that half
the records share finds nobody, and the cost stays linear. Small data is compared almost whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sfactl.engine.duck import Query
from sfactl.identity.config import BlockSettings
from sfactl.identity.features import RECORDS, texts
from sfactl.identity.fields import Chosen

PAIRS = "match_pairs"
LEAST = 1_500_000
"""So many pairs are always allowed: below, comparing costs less than choosing."""
PER_RECORD = 6
"""Pairs allowed for each record, all keys together."""
WIDEST = 2_000
"""More records than this never form one block, whatever the allowance."""
RARE_WORDS = 5
_BOTH = "least(gp, fp) || '|' || greatest(gp, fp)"
"""How both names sound, in whatever order they stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What one key found: pairs, and the largest number of records with one value that were still compared."""

    key: str
    pairs: int
    widest: int
    left_out: int


def keys(chosen: Chosen, settings: BlockSettings) -> Mapping[str, str]:
    """Key → SQL over the features; a null finds nobody, a list finds by each of its members."""
    have = chosen.roles
    made: dict[str, str] = {}
    if "email" in have:
        made |= {"email": "mail", "mailbox": "ml"}
    if "phone" in have:
        made["phone"] = "p7"
    if "tax_id" in have:
        made["tax_id"] = "tax"
    if chosen.has_names:
        made |= _name_keys(chosen)
    elif "company" in have:
        made["company"] = "co"
    if "birth_date" in have:
        made["birth_date"] = "born"
    if "street" in have:
        made["street"] = "st"
        place = next((c for c, role in (("zip", "postal_code"), ("city", "city")) if role in have), None)
        if place:
            made["house number and place"] = f"num || '|' || {place}"
    for f in texts(chosen):
        label = next((e.column for e in chosen.extras if e.feature == f), "company")
        # Colleagues share the words of their company: with names, a word counts only together with an initial.
        ids = f"list_transform(list_slice({f}_ids, 1, {RARE_WORDS}), lambda t: t >> 10)"
        if chosen.has_names and f == "co":
            near = f"list_transform(list_slice({f}_ids, 1, 3), lambda t: {_BOTH} || '|' || (t >> 10))"
            made["both names and word of company"] = near
            made["word of company and initial"] = (
                f"list_transform({ids}, lambda t: t || '|' || left(coalesce(g, f), 1))"
            )
        else:
            made[f"word of {label}"] = ids
            made[f"two words of {label}"] = (
                f"case when len({f}_ids) > 1 then ({f}_ids[1] >> 10) || '|' || ({f}_ids[2] >> 10) end"
            )
    kinds = ("code", "date") if chosen.has_names else ("code", "date", "word")
    made |= {e.column: e.feature for e in chosen.extras if e.kind in kinds}
    columns = {sql: f'"{feature}"' for feature, sql in _features(chosen).items()}
    for wanted in settings.keys:
        made[" and ".join(wanted)] = " || '|' || ".join(f"{columns[c]}::varchar" for c in wanted if c in columns)
    return made


def _features(chosen: Chosen) -> dict[str, str]:
    features = {
        "given": "g", "family": "f", "company": "co", "email": "mail", "phone": "phone", "birth_date": "born",
        "tax_id": "tax", "website": "site", "street": "st", "postal_code": "zip", "city": "city", "region": "region",
    }  # fmt: skip
    made = {features[r]: c for r, c in chosen.roles.items() if r in features}
    return made | {e.feature: e.column for e in chosen.extras}


def _name_keys(chosen: Chosen) -> dict[str, str]:
    made = {
        "both names": "least(g, f) || '|' || greatest(g, f)",
        "sound of both names": _BOTH,
        "family name": "f",
        "family name and initial": "fp || '|' || left(g, 1)",
        "given name": "g",
    }
    if "full" in chosen.roles:
        made["name in Latin letters"] = "left(nl, 8)"
    if "birth_date" in chosen.roles:
        made["sound and year of birth"] = "fp || '|' || left(born, 4)"
        made["given name and day of birth"] = "gp || '|' || right(born, 4)"
    for feature, role in (("zip", "postal_code"), ("city", "city")):
        if role in chosen.roles:
            made[f"sound and {role}"] = f"fp || '|' || {feature}"
            made[f"given name and {role}"] = f"gp || '|' || {feature}"
            made[f"both names and {role}"] = f"{_BOTH} || '|' || {feature}"
    return made


def find(query: Query, chosen: Chosen, settings: BlockSettings, records: int, between: bool) -> tuple[Block, ...]:
    """Make the table `PAIRS` (a, b: record numbers, a < b) of all pairs to compare; answers what each key gave."""
    allowed = settings.max_pairs or max(LEAST, PER_RECORD * records)
    wanted = keys(chosen, settings)
    share = max(1, 2 * allowed // max(1, len(wanted)))
    query.run("create or replace temp table match_found (a integer, b integer)")
    blocks = tuple(_one(query, name, sql, share, between) for name, sql in wanted.items())
    query.run(f"create or replace temp table {PAIRS} as select distinct a, b from match_found")
    query.run("drop table match_found")
    return blocks


def _one(query: Query, name: str, sql: str, share: int, between: bool) -> Block:
    typed = next(iter(query.describe(f"select {sql} as v from {RECORDS}").values()))
    value = f"unnest({sql})" if typed.endswith("[]") else sql
    query.run(
        "create or replace temp table match_key as select hash(v) as v, rid, src from"
        f" (select {value} as v, rid, src from {RECORDS}) where v is not null"
    )
    several = "count(*) filter (where src = 'a') * count(*) filter (where src = 'b')"
    pairs_sql = several if between else "count(*) * (count(*) - 1) // 2"
    query.run(
        f"create or replace temp table match_block as select v, count(*) as n, {pairs_sql} as pairs from match_key"
        f" group by v having count(*) between 2 and {WIDEST}"
    )
    rows = query.rows(
        "select n, pairs, so_far from (select n, sum(pairs)::bigint as pairs,"
        " sum(sum(pairs)) over (order by n)::bigint as so_far from match_block group by n) order by n"
    )
    kept = [r for r in rows if r[2] <= share]
    widest = max((r[0] for r in kept), default=0)
    test = "x.src = 'a' and y.src = 'b'" if between else "x.rid < y.rid"
    pair = "least(x.rid, y.rid) as a, greatest(x.rid, y.rid) as b" if between else "x.rid as a, y.rid as b"
    if kept:
        query.run(
            f"insert into match_found select {pair} from match_key x"
            f" join match_block k on k.v = x.v and k.n <= {widest} join match_key y on y.v = x.v and {test}"
        )
    pairs = kept[-1][2] if kept else 0
    return Block(key=name, pairs=pairs, widest=widest, left_out=sum(r[1] for r in rows) - pairs)
