"""Weigh the pairs that may be the same: bits for every field, in thousandths, so that they add up exactly.

Agreement on a rare value is worth more than on a common one. What a household or a company shares is bounded, and names
that differ keep a pair from being merged; both are terms of their own in the sum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sfactl.engine.duck import Query
from sfactl.identity.comparison import Comparison, base
from sfactl.identity.dependence import correction
from sfactl.identity.features import RECORDS
from sfactl.identity.patterns import GENERATIONS, Counted, Frequency, count
from sfactl.identity.weights import HIGHEST, Model, contradicts, totals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WEIGHED = "match_weighed"
DOUBT = 0
"""What a pair whose names differ comes to at most, in thousandths of a bit: as likely as not."""
RARER = 14.0
"""Bits that a rare value may add to the average one."""


def milli(bits: float) -> int:
    """Bits as whole thousandths."""
    return round(bits * 1000)


def probability(weight: float) -> float:
    """The probability that a weight in bits stands for."""
    return 1.0 / (1.0 + math.exp2(-max(-60.0, min(60.0, weight))))


def bits_of(p: float) -> float:
    """The weight in bits that a probability stands for."""
    return math.log2(p / (1.0 - p))


def promising(fields: Sequence[Comparison], counted: Counted, model: Model, least: float) -> list[int]:
    """Patterns that reach ``least`` bits with the rarest values there could be."""
    import numpy as np

    best = [
        np.array([min(HIGHEST, b + (RARER if lv.count and b > 0 else 0.0)) for b, lv in zip(row, c.levels)])
        for row, c in zip(model.bits, fields)
    ]
    off = correction(fields, counted.levels, _arrays(model), model.edges)
    weight, _ = totals(fields, counted, best, model.prior, model.household, off)
    keep = (weight >= least) & ~contradicts(fields, counted) | (weight >= max(least, 0.0)) & contradicts(
        fields, counted
    )
    return [int(c) for c in counted.codes[keep]]


def _arrays(model: Model) -> list[NDArray[np.float64]]:
    import numpy as np

    return [np.array(row) for row in model.bits]


def _register_together(query: Query, table: str, fields: Sequence[Comparison], model: Model) -> None:
    """Register ``match_together`` (pattern, off_shared, off_own): what fields that agree together said twice."""
    import numpy as np
    import pyarrow as pa

    counted = count(query, table, fields)
    shared, own = correction(fields, counted.levels, _arrays(model), model.edges)
    query.register(
        "match_together",
        pa.table({
            "pattern": counted.codes, "off_shared": np.round(shared * 1000).astype(np.int64),
            "off_own": np.round(own * 1000).astype(np.int64),
        }),
    )  # fmt: skip


def weigh(
    query: Query,
    table: str,
    into: str,
    fields: Sequence[Comparison],
    model: Model,
    frequency: Mapping[str, Frequency],
) -> None:
    """Make the table ``into`` of the pairs (a, b, pattern) in ``table``.

    Columns: a, b, pattern, t0 … (thousandths of a bit by field), together, cap, against, rival (corrections), w (the
    sum).
    """
    width = base(fields)
    _register_together(query, table, fields, model)
    joins, cells = [], []
    for i, c in enumerate(fields):
        level = f"(p.pattern // {width**i}::bigint % {width})"
        whens = []
        for j, lv in enumerate(c.levels, 1):
            bits = f"{milli(model.bits[i][j - 1])}"
            if lv.count:
                bits = _by_rarity(i, j, model, frequency[lv.count])
                joins.append(f"left join match_n_{lv.count} n{i}_{j} on n{i}_{j}.v = x.{lv.count} and {level} = {j}")
            whens.append(f"when {j} then {bits}")
        cells.append(f"(case {level} {' '.join(whens)} else 0 end)::bigint as t{i}")
    people = f"p.pattern // {width ** len(fields)}::bigint"
    shared = " + ".join([str(milli(model.prior)), "off_shared", *(f"t{i}" for i, c in enumerate(fields) if c.shared)])
    every = " + ".join([str(milli(model.prior)), "together", *(f"t{i}" for i in range(len(fields)))])
    query.run(
        f"create or replace temp table {into} as select *, 0::bigint as rival, {every} + cap + against as w"
        " from (select *,"
        f" case when against_ then least(0, {DOUBT} - ({every} + cap)) else 0 end::bigint as against from (select *,"
        f" case when people > 0 then least(0, {milli(model.household)} - ({shared})) else 0 end::bigint as cap from"
        f" (select p.a, p.b, p.pattern, {people} as people, {_against(fields, width)} as against_,"
        f" {', '.join(cells) or '0 as nothing'},"
        f" g.off_shared, g.off_shared + g.off_own as together"
        f" from {table} p join match_together g using (pattern) join {RECORDS} x on x.rid = p.a {' '.join(joins)})))"
    )


def one_partner(query: Query, table: str, alone: float) -> None:
    """Weigh the pairs in ``table`` against their rivals, where every record has one partner at most.

    A pair gains by the share of records that have a partner at all, and loses by all others that the two could have.
    """
    odds = "pow(2.0, least(40, greatest(-40, w / 1000.0)))"
    rivals = f"greatest(sum({odds}) over (partition by a), sum({odds}) over (partition by b)) - {odds}"
    query.run(
        f"create or replace temp table {table} as select * replace (rival + said as rival, w + said as w)"
        f" from (select *, case when against <> 0 then 0 else round(-1000 * log2({alone!r} + greatest({rivals}, 0)))"
        f" end::bigint as said from {table})"
    )
    query.run(f"alter table {table} drop column said")


def _by_rarity(i: int, j: int, model: Model, frequency: Frequency) -> str:
    """SQL of the bits of a level whose value occurs ``n`` times: the commoner, the less."""
    average = model.bits[i][j - 1]
    same, filled = model.same[i][j - 1], float(max(frequency.filled, 1))
    # So often a value may occur because of its duplicates alone.
    most = 2.0 + 2.0 * model.partners if j == 1 else 1.0
    seldom = frequency.rare(model.chance[i][0] * frequency.possible, most) if j == 1 else 1.0 / filled
    n = f"n{i}_{j}.n"
    expected = f"case when {n} <= {most!r} then {seldom!r} else greatest(({n} - 1) / {filled!r}, {seldom!r}) end"
    lowest, highest = average - RARER, min(HIGHEST, average + RARER)
    return f"round(1000 * least({highest!r}, greatest({lowest!r}, log2({same!r} / ({expected})))))"


def _against(fields: Sequence[Comparison], width: int) -> str:
    """SQL for `contradicts`."""
    against, proof, moved, told = [], [], [], []
    people = f"p.pattern // {width ** len(fields)}::bigint"
    for i, c in enumerate(fields):
        level = f"(p.pattern // {width**i}::bigint % {width})"
        if c.who:
            against.append(f"{people} {'>' if c.feature == 'g' else '='} 0 and {level} = {len(c.levels)}")
            moved += [f"{people} > 0 and {level} = {len(c.levels)}"] if c.feature != "g" else []
        if c.identifier:
            only = f" and {people} = 0" if c.name in ("email", "phone") else ""
            proof.append(f"{level} = 1{only}")
        if c.told:
            told.append(f"{level} = 1")
    names, work = (f"({_any(a)} and not {_any(b)})" for a, b in ((against, proof), (moved, told)))
    return f"({names} or {work} or {people} = {GENERATIONS})"


def _any(terms: Sequence[str]) -> str:
    return f"({' or '.join(f'({term})' for term in terms) or 'false'})"
