"""Find the pairs of records that may be the same: choose fields, fold, block, compare, learn, weigh, group.

Works on tables of one query alone; what it answers depends on the content of the records and not on their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING

from sfactl.engine.duck import Query
from sfactl.identity import blocking, patterns, scoring, weights
from sfactl.identity.blocking import PAIRS, Block
from sfactl.identity.clusters import groups, guarded, one_to_one
from sfactl.identity.comparison import Comparison, base, comparisons
from sfactl.identity.config import IdentityConfig
from sfactl.identity.features import RECORDS, build
from sfactl.identity.fields import Chosen
from sfactl.identity.patterns import Frequency
from sfactl.identity.scoring import WEIGHED, bits_of, milli
from sfactl.identity.weights import Model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

COMPARED = "match_compared"
LARGEST_GROUP = 200
"""Of a larger group not every pair inside is weighed; it is cut by its contradictions all the same."""
AGAINST = -5.0
"""Bits below which two records in one group contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What was learned from one set of records; the tables stay in the query.

    ``own`` is false where a plugin weighed the pairs. ``alone`` is the share of records without a partner, where every
    record has one at most.
    """

    chosen: Chosen
    fields: tuple[Comparison, ...]
    model: Model
    frequency: dict[str, Frequency]
    blocks: tuple[Block, ...]
    records: int
    compared: int
    alone: float | None = None
    own: bool = True

    @property
    def names(self) -> bool:
        """Whether records have names of people."""
        return self.chosen.has_names


def learn(
    query: Query,
    dataset: str,
    key: str,
    chosen: Chosen,
    config: IdentityConfig,
    *,
    where: str,
    source: str,
    between: bool,
) -> Linked:
    """Fold, block, compare and fit; makes the tables of records, of compared pairs, and of frequencies."""
    records = build(query, dataset, key, chosen, where, source)
    fields = comparisons(chosen, at_work=_at_work(query, chosen))
    blocks = blocking.find(query, chosen, config.blocking, records, between)
    patterns.compare(query, PAIRS, COMPARED, fields, names=chosen.has_names)
    patterns.random_pairs(query, records, between=between)
    patterns.compare(query, "match_random", "match_drawn", fields, names=chosen.has_names)
    frequency = patterns.frequencies(query, fields, between=between)
    compared = patterns.count(query, COMPARED, fields)
    drawn = patterns.count(query, "match_drawn", fields)
    model = weights.fit(fields, compared, drawn, frequency, records=records, pairs=_possible(query, between))
    return Linked(
        chosen=chosen, fields=fields, model=model, frequency=frequency, blocks=blocks, records=records,
        compared=int(compared.total), alone=_alone(query, model) if between else None,
    )  # fmt: skip


def _at_work(query: Query, chosen: Chosen) -> bool:
    """Whether people mostly come with a company."""
    if not chosen.has_names or "company" not in chosen.roles:
        return False
    row = query.one(f"select avg((co is not null)::integer) from {RECORDS} where f is not null")
    return bool(row and row[0] is not None and row[0] > 0.5)


def _alone(query: Query, model: Model) -> float:
    """The share of the smaller source that has no partner; one in ten is always thought possible."""
    row = query.one(f"select count(*) filter (where src = 'a'), count(*) filter (where src = 'b') from {RECORDS}")
    return float(max(0.1, 1.0 - model.expected / max(min(row or (1, 1)), 1)))


def _possible(query: Query, between: bool) -> float:
    row = query.one(
        "select count(*)::double, (count(*) filter (where src = 'a'))::double,"
        " (count(*) filter (where src = 'b'))::double"
        f" from {RECORDS}"
    )
    n, left, right = row or (0.0, 0.0, 0.0)
    return float(max(left * right if between else n * (n - 1) / 2, 1.0))


def weigh(query: Query, linked: Linked, least: float) -> None:
    """Make the table `WEIGHED` of the compared pairs that may reach the probability ``least``."""
    import pyarrow as pa

    compared = patterns.count(query, COMPARED, linked.fields)
    gain = 0.0 if linked.alone is None else -log2(linked.alone)
    keep = scoring.promising(linked.fields, compared, linked.model, bits_of(least) - gain)
    query.register("match_kept", pa.table({"pattern": pa.array(keep, pa.int64())}))
    query.run(
        f"create or replace temp table match_hopeful as select * from {COMPARED} semi join match_kept using (pattern)"
    )
    _weigh(query, linked, "match_hopeful", WEIGHED)
    if linked.alone is not None:
        scoring.one_partner(query, WEIGHED, linked.alone)
    query.run(f"delete from {WEIGHED} where w < {milli(bits_of(least))}")


def _weigh(query: Query, linked: Linked, table: str, into: str) -> None:
    scoring.weigh(query, table, into, linked.fields, linked.model, linked.frequency)


def weigh_pairs(query: Query, linked: Linked, pairs: str, into: str) -> None:
    """Compare and weigh the pairs (a, b: record numbers) of any table."""
    patterns.compare(query, pairs, f"{into}_levels", linked.fields, names=linked.names)
    _weigh(query, linked, f"{into}_levels", into)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Weights in thousandths of a bit: from ``merge`` on a pair is merged, from ``review`` on it is looked at."""

    merge: int
    review: int


def decide(query: Query, linked: Linked, limits: Thresholds, *, between: bool) -> None:
    """Make the table ``match_decided`` (a, b, w, decision, grouped, note) from `WEIGHED` and what people decided.

    Needs ``match_said`` (a, b, decision): record numbers with a decision of ``same`` or ``different``.
    """
    import numpy as np
    import pyarrow as pa

    query.run(
        f"create or replace temp table match_open as select a, b, coalesce(s.decision, '') as said,"
        " case s.decision when 'same' then 1000000 else w end as w, against <> 0 as against"
        f" from (select a, b, w, against from {WEIGHED} union all select a, b, 1000000, 0 from match_said s"
        f"  where decision = 'same' and not exists (select 1 from {WEIGHED} k where k.a = s.a and k.b = s.b))"
        " left join match_said s using (a, b) where coalesce(s.decision, '') <> 'different'"
    )
    a, b, w = _columns(query, f"select a, b, w from match_open where w >= {limits.merge} order by a, b")
    n = linked.records
    kept = one_to_one(n, a, b, w) if between else np.ones(len(a), dtype=bool)
    taken = np.zeros(n, dtype=bool)
    if between:
        taken[a[kept]] = taken[b[kept]] = True
    a, b, w = a[kept], b[kept], w[kept]
    _inside(query, linked, groups(n, a, b))
    against = _columns(
        query,
        f"select a, b from match_inside where w < {milli(AGAINST)} or against <> 0"
        f" or (w < {limits.review} and ({_differs(linked)})) union"
        " select a, b from match_said where decision = 'different' order by a, b",
    )
    found = guarded(n, a, b, w, *against)
    numbers = np.arange(n)
    sizes = np.bincount(found.group, minlength=n)
    query.register(
        "match_groups",
        pa.table({
            "rid": pa.array(numbers, pa.int32()), "grp": pa.array(found.group, pa.int32()),
            "grouped": pa.array(sizes[found.group] > 1), "taken": pa.array(taken),
        }),
    )  # fmt: skip
    _settle(query, limits)


def _differs(linked: Linked) -> str:
    """SQL over weighed pairs: whether they differ in what a record has for good."""
    width = base(linked.fields)
    return (
        " or ".join(
            f"pattern // {width**i}::bigint % {width} = {len(c.levels)}" for i, c in enumerate(linked.fields) if c.fixed
        )
        or "false"
    )


def _columns(query: Query, sql: str) -> tuple[Ints, ...]:
    import numpy as np

    return tuple(c.to_numpy().astype(np.int64) for c in query.table(sql).columns)


def _inside(query: Query, linked: Linked, group: Ints) -> None:
    """Make the table ``match_inside``: every pair inside a group of more than two, weighed.

    Where a plugin weighed the pairs, what it did not answer is not known.
    """
    import numpy as np
    import pyarrow as pa

    if not linked.own:
        query.run(f"create or replace temp table match_inside as select *, 0::bigint as pattern from {WEIGHED} limit 0")
        return
    sizes = np.bincount(group, minlength=len(group))[group]
    members = np.flatnonzero((sizes > 2) & (sizes <= LARGEST_GROUP))
    query.register(
        "match_members",
        pa.table({"rid": pa.array(members, pa.int32()), "grp": pa.array(group[members], pa.int32())}),
    )
    query.run(
        "create or replace temp table match_inner as select x.rid as a, y.rid as b from match_members x"
        " join match_members y on y.grp = x.grp and x.rid < y.rid"
    )
    weigh_pairs(query, linked, "match_inner", "match_inside")


def _settle(query: Query, limits: Thresholds) -> None:
    """What becomes of every pair: inside a group it is merged, else it is looked at where its weight asks for it."""
    query.run(
        "create or replace temp table match_decided as select p.a, p.b, p.w,"
        " case when x.grouped and x.grp = y.grp then 'merge' else 'review' end as decision,"
        " case when x.grouped and x.grp = y.grp then x.grp end as grp,"
        f" case when x.grouped and x.grp = y.grp then case when p.said = 'same' then 'decided to be the same'"
        f" when p.w < {limits.merge} then 'joined through others' end"
        " when p.against then 'the names differ'"
        f" when p.w >= {limits.merge} then 'the group would contradict itself' end as note"
        " from (select a, b, w, said, against from match_open union all select a, b, w, '', against <> 0"
        "  from match_inside i where not exists (select 1 from match_open o where o.a = i.a and o.b = i.b)) p"
        " join match_groups x on x.rid = p.a join match_groups y on y.rid = p.b"
        f" where (x.grouped and x.grp = y.grp) or (p.w >= {limits.review} and not x.taken and not y.taken)"
    )
