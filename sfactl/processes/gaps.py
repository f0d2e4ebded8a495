"""Compare how well service was done before and after a change: late, missed, erroneous. Pure: counts in, rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Measure = Literal["late", "missed", "erroneous"]
MEASURES: tuple[Measure, ...] = ("late", "missed", "erroneous")
BEFORE, AFTER = "before", "after"
ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What fell due, or was done, in one period: how many, and how many of these with the gap."""

    period: str
    what: str
    measure: Measure
    gaps: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One measure of one kind of work, before and after. Rates are of what fell due or was done; None of nothing.

    ``p`` is Fisher's exact test, two-sided: how likely a difference as large would be if nothing had changed.
    """

    measure: str
    what: str
    before: int
    before_of: int
    before_rate: float | None
    after: int
    after_of: int
    after_rate: float | None
    change: float | None
    p: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """Two periods of one length on either side of ``change``, each judged as of its own end."""

    change: date
    before_since: datetime
    change_at: datetime
    after_until: datetime
    seq: int
    unfinished: bool
    gaps: tuple[Gap, ...]


def compared(counted: Iterable[Counted]) -> tuple[Gap, ...]:
    """One row for each measure and kind of work that there was, with all kinds of a measure together before them."""
    found: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
    for c in counted:
        for what in (ALL, c.what):
            sums = found.setdefault((c.measure, what), {})
            gaps, of = sums.get(c.period, (0, 0))
            sums[c.period] = gaps + c.gaps, of + c.of
    kinds = sorted(found, key=lambda key: (MEASURES.index(key[0]), key[1] != ALL, key[1]))
    return tuple(_gap(measure, what, found[measure, what]) for measure, what in kinds)


def _gap(measure: str, what: str, sums: Mapping[str, Sequence[int]]) -> Gap:
    before, before_of = sums.get(BEFORE, (0, 0))
    after, after_of = sums.get(AFTER, (0, 0))
    one = before / before_of if before_of else None
    two = after / after_of if after_of else None
    return Gap(
        measure=measure,
        what=what,
        before=before,
        before_of=before_of,
        before_rate=one,
        after=after,
        after_of=after_of,
        after_rate=two,
        change=None if one is None or two is None else two - one,
        p=_fisher(before, before_of, after, after_of),
    )


def _fisher(one: int, one_of: int, two: int, two_of: int) -> float | None:
    if not one_of or not two_of:
        return None
    from scipy.stats import fisher_exact

    return float(fisher_exact([[one, one_of - one], [two, two_of - two]]).pvalue)
