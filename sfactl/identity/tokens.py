"""Words with their rarity, so that two texts agree by the rare words they share.

A word is a number: its rank by rarity in the higher bits, its weight (inverse document frequency, squared) in the lower
ten, so that what two texts share is a sum over the intersection of two lists. Native scripts give pairs of characters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sfactl.engine.duck import Query

WEIGHT_BITS = 1023
STREET_WORDS = (
    "allee", "apt", "av", "ave", "avenue", "bld", "blv", "blvd", "boulevard", "building", "calle", "circle", "close",
    "court", "cr", "cres", "crescent", "crt", "ct", "dr", "drive", "e", "east", "fl", "floor", "highway", "hwy", "l",
    "lane", "ln", "n", "no", "north", "nr", "parade", "pde", "pl", "place", "platz", "rd", "road", "room", "rue", "s",
    "sec", "section", "south", "sq", "square", "st", "ste", "str", "strasse", "street", "suite", "terrace", "unit",
    "via", "w", "way", "west",
)  # fmt: skip
"""Words of an address that say little, and are written or left out at will."""
ORDINALS = {
    "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th",
    "seventh": "7th", "eighth": "8th", "ninth": "9th", "tenth": "10th",
}  # fmt: skip
"""Streets with a number for a name, however it is written."""


def words(value: str) -> str:
    """SQL for the list of words of a folded value."""
    pairs = "list_transform(range(1, length(w)), lambda i: substring(w, i, 2))"
    cut = f"case when strlen(w) = length(w) or length(w) <= 2 then [w] else {pairs} end"
    native = f"flatten(list_transform(string_split({value}, ' '), lambda w: {cut}))"
    return (
        f"list_distinct(case when strlen({value}) = length({value}) then string_split({value}, ' ') else {native} end)"
    )


def weigh(
    query: Query,
    name: str,
    columns: Sequence[str],
    source: str,
    records: int,
    *,
    without: Sequence[str] = (),
    alike: Mapping[str, str] | None = None,
) -> None:
    """Make the table ``name`` (v, ids, weight, mask): the words of every distinct value in ``columns`` of ``source``.

    Words in ``without`` are left out, those in ``alike`` are taken for another.
    """
    values = " union all ".join(f"select {c} as v from {source} where {c} is not null" for c in columns)
    query.run(f"create or replace temp table {name}_values as select v, count(*) as n from ({values}) group by v")
    stop = f"where t not in ({', '.join(repr(w) for w in without)})" if without else ""
    word = f"case t {' '.join(f'when {k!r} then {v!r}' for k, v in alike.items())} else t end" if alike else "t"
    query.run(
        f"create or replace temp table {name}_said as select distinct v, n, {word} as t"
        f" from (select v, n, unnest({words('v')}) as t from {name}_values) {stop}"
    )
    _glue(query, name)
    query.run(
        f"create or replace temp table {name}_words as select t, df, row_number() over (order by df, t) as place,"
        f" least({WEIGHT_BITS}, greatest(1, round(2.5 * pow(log2(1 + {records} / df), 2))))::bigint as weight"
        f" from (select t, sum(n)::double as df from {name}_said group by t)"
    )
    query.run(
        f"create or replace temp table {name} as select v, list_sort(list(place * 1024 + weight)) as ids,"
        f" sum(weight)::bigint as weight, bit_or(1::bigint << (place % 62)::integer) as mask"
        f" from {name}_said join {name}_words using (t) group by v"
    )


def _glue(query: Query, name: str) -> None:
    """Add "kx flb801" as "kxflb801" too, where that is a word elsewhere."""
    said = "string_split(v, ' ')"
    query.run(
        f"create or replace temp table {name}_said as select v, n, t from {name}_said union"
        " select v, n, t from (select v, n, unnest(list_transform(range(1, len(w)), lambda i: w[i] || w[i + 1])) as t"
        f"  from (select v, n, {said} as w from {name}_values where contains(v, ' ') and regexp_matches(v, '[0-9]')))"
        f" where regexp_matches(t, '[0-9]') and regexp_matches(t, '[a-z]') and t in (select t from {name}_said)"
    )


def shared(a: str, b: str, a_mask: str, b_mask: str) -> str:
    """SQL for the weight of the words that two lists share; the masks say at once where they share none."""
    both = f"coalesce(list_sum(list_transform(list_intersect({a}, {b}), lambda t: t & {WEIGHT_BITS})), 0)::double"
    return f"case when {a_mask} & {b_mask} = 0 then 0 else {both} end"
