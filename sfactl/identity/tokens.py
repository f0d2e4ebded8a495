"""Words with their rarity, so that two texts agree by the rare words they share.

A word is a number: its rank by rarity in the higher bits, its weight (inverse document frequency, squared) in the lower
ten, so that what two texts share is a sum over the intersection of two lists. Native scripts give pairs of characters.
"""

from __future__ import annotations

from collections.abc import Sequence

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


def words(value: str) -> str:
    """SQL for the list of words of a folded value."""
    pairs = "list_transform(range(1, length(w)), lambda i: substring(w, i, 2))"
    cut = f"case when strlen(w) = length(w) or length(w) <= 2 then [w] else {pairs} end"
    native = f"flatten(list_transform(string_split({value}, ' '), lambda w: {cut}))"
    return (
        f"list_distinct(case when strlen({value}) = length({value}) then string_split({value}, ' ') else {native} end)"
    )


def weigh(
    query: Query, name: str, columns: Sequence[str], source: str, records: int, without: Sequence[str] = ()
) -> None:
    """Make the table ``name`` (v, ids, weight): the words of every distinct value in ``columns`` of ``source``."""
    values = " union all ".join(f"select {c} as v from {source} where {c} is not null" for c in columns)
    query.run(f"create or replace temp table {name}_values as select v, count(*) as n from ({values}) group by v")
    stop = f"where t not in ({', '.join(repr(w) for w in without)})" if without else ""
    query.run(
        f"create or replace temp table {name}_said as"
        f" select * from (select v, n, unnest({words('v')}) as t from {name}_values) {stop}"
    )
    query.run(
        f"create or replace temp table {name}_words as select t, df, row_number() over (order by df, t) as place,"
        f" least({WEIGHT_BITS}, greatest(1, round(2.5 * pow(log2(1 + {records} / df), 2))))::bigint as weight"
        f" from (select t, sum(n)::double as df from {name}_said group by t)"
    )
    query.run(
        f"create or replace temp table {name} as select v, list_sort(list(place * 1024 + weight)) as ids,"
        f" sum(weight)::bigint as weight from {name}_said join {name}_words using (t) group by v"
    )


def shared(a: str, b: str) -> str:
    """SQL for the weight of the words that two lists share."""
    return f"coalesce(list_sum(list_transform(list_intersect({a}, {b}), lambda t: t & {WEIGHT_BITS})), 0)::double"
