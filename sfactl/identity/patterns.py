"""Compare pairs and count the patterns of agreement: one number a pair, its digits the levels of the fields.

Also draws the random pairs that show how often strangers agree, and counts how often each value occurs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfactl.engine.duck import Query
from sfactl.identity.comparison import Comparison, base, level_sql
from sfactl.identity.features import RECORDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GENERATIONS = 3
"""Stands for two people whose names say that they are father and son."""
SAMPLE = 1_000_000
"""Random pairs looked at; all pairs, where there are fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Patterns of one set of pairs: ``levels`` (pattern by field), ``people`` (how many sides are people, or
    `GENERATIONS`), ``n``."""

    codes: NDArray[np.int64]
    levels: NDArray[np.int64]
    people: NDArray[np.int64]
    n: NDArray[np.float64]

    @property
    def total(self) -> float:
        """All pairs."""
        return float(self.n.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """How often the values of one feature occur: records with one, pairs that could agree, and pairs that do.

    ``spread`` tells how many values occur so and so often.
    """

    filled: int
    possible: float
    agreeing: float
    spread: tuple[tuple[int, int], ...]

    def rare(self, strangers: float, most: float) -> float:
        """How likely a stranger has a value that occurs ``most`` times at most, where ``strangers`` share one.

        Values that occur so seldom may owe it to duplicates; what strangers share is left when the common values are
        taken off (after Good and Turing).
        """
        common = sum(values * n * (n - 1) / 2 for n, values in self.spread if n > most)
        seldom = sum(values * n for n, values in self.spread if n <= most)
        return 2.0 * max(strangers - common, 0.5 * strangers / (1 + common), 1e-9) / max(seldom * self.filled, 1)


def compare(query: Query, pairs: str, into: str, fields: Sequence[Comparison], *, names: bool) -> None:
    """Make the table ``into`` (a, b, pattern) of the pairs (a, b: record numbers) in the table ``pairs``."""
    scores = ", ".join(f"{c.score} as s{i}" for i, c in enumerate(fields)) or "0 as nothing"
    width = base(fields)
    digits = [f"({level_sql(c, f's{i}')}) * {width**i}::bigint" for i, c in enumerate(fields)]
    named = "(x.f is not null)::integer + (y.f is not null)::integer"
    people = f"case when x.gen <> y.gen then {GENERATIONS} else {named} end" if names else "0"
    digits.append(f"people * {width ** len(fields)}::bigint")
    query.run(
        f"create or replace temp table {into} as select a, b, ({' + '.join(digits)})::bigint as pattern from"
        f" (select p.a, p.b, {people} as people, {scores} from {pairs} p"
        f" join {RECORDS} x on x.rid = p.a join {RECORDS} y on y.rid = p.b)"
    )


def count(query: Query, table: str, fields: Sequence[Comparison]) -> Counted:
    """The patterns in ``table`` and how many pairs show each, in the order of the patterns."""
    import numpy as np

    found = query.table(f"select pattern, count(*)::double as n from {table} group by pattern order by pattern")
    codes = found.column("pattern").to_numpy().astype(np.int64)
    width = base(fields)
    levels = np.array([codes // width**i % width for i in range(len(fields))], dtype=np.int64)
    levels = levels.reshape(len(fields), len(codes)).T
    people = codes // width ** len(fields)
    return Counted(codes=codes, levels=levels, people=people, n=found.column("n").to_numpy().astype(np.float64))


def random_pairs(query: Query, records: int, *, between: bool) -> None:
    """Make the table ``match_random`` (a, b) of pairs drawn without regard to what they agree in.

    Records are numbered by a hash of their content, so that a fixed distance between two numbers is a draw.
    """
    test = (
        f"(select src from {RECORDS} where rid = a) <> (select src from {RECORDS} where rid = b)" if between else "true"
    )
    if records * (records - 1) // 2 <= SAMPLE:
        drawn = f"select x.rid as a, y.rid as b from {RECORDS} x join {RECORDS} y on x.rid < y.rid"
    else:
        # The step is odd and grows, so that no pair is drawn twice among as few as these.
        apart = f"(i // {records} * 7919 + 1 + i // {records} * (i // {records})) % {records - 1} + 1"
        drawn = (
            f"select distinct least(i % {records}, (i + {apart}) % {records})::integer as a,"
            f" greatest(i % {records}, (i + {apart}) % {records})::integer as b from range({SAMPLE}) r(i)"
        )
    query.run(f"create or replace temp table match_random as select a, b from ({drawn}) where a <> b and {test}")


def frequencies(query: Query, fields: Sequence[Comparison], *, between: bool) -> dict[str, Frequency]:
    """Make a table ``match_n_<feature>`` (v, n) for each feature whose frequency counts; answers what they come to."""
    made = {}
    for feature in sorted({lv.count for c in fields for lv in c.levels if lv.count}):
        agree = "na * nb" if between else "n * (n - 1) / 2"
        query.run(
            f"create or replace temp table match_n_{feature} as select {feature} as v, count(*)::double as n,"
            " (count(*) filter (where src = 'a'))::double as na, (count(*) filter (where src = 'b'))::double as nb"
            f" from {RECORDS} where {feature} is not null group by {feature}"
        )
        row = query.one(f"select sum(n), sum(na) * sum(nb), sum({agree}) from match_n_{feature}")
        filled, across, agreeing = row or (0, 0, 0)
        spread = query.rows(f"select n::bigint, count(*) from match_n_{feature} group by 1 order by 1")
        n = float(filled or 0)
        made[feature] = Frequency(
            filled=int(n), possible=float(across or 0) if between else n * (n - 1) / 2, agreeing=float(agreeing or 0),
            spread=tuple((int(r[0]), int(r[1])) for r in spread),
        )  # fmt: skip
    return made
