"""Put pairs together into groups, and cut groups whose members contradict each other.

A chain of pairs may join records that are clearly not the same. Such a group loses its weakest pairs, one weight at a
time, until no contradiction is left inside; what was cut is for a person to look at. Nothing depends on the order of
the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

CUTS = 60
"""After so many cuts the rest of a group goes to a person as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """For each pair whether it holds; for each record the smallest number in its group."""

    holds: NDArray[np.bool_]
    group: Ints


def groups(n: int, a: Ints, b: Ints) -> Ints:
    """The smallest record number that each of ``n`` records is joined to by the pairs (a, b)."""
    import numpy as np

    label = np.arange(n)
    while len(a):
        low = np.minimum(label[a], label[b])
        before = label.copy()
        np.minimum.at(label, label[a], low)
        np.minimum.at(label, label[b], low)
        np.minimum.at(label, a, low)
        np.minimum.at(label, b, low)
        label = label[label]
        if np.array_equal(label, before):
            break
    return label


def guarded(n: int, a: Ints, b: Ints, weight: Ints, against_a: Ints, against_b: Ints) -> Grouped:
    """Group by the pairs (a, b) of ``weight`` so that no pair (against_a, against_b) ends up in one group."""
    import numpy as np

    holds = np.ones(len(a), dtype=bool)
    for cut in range(CUTS + 1):
        label = groups(n, a[holds], b[holds])
        bad = np.unique(label[against_a[label[against_a] == label[against_b]]])
        if not len(bad):
            break
        inside = holds & np.isin(label[a], bad)
        if cut == CUTS:
            holds &= ~inside
            label = groups(n, a[holds], b[holds])
            break
        weakest = np.full(n, np.iinfo(np.int64).max)
        np.minimum.at(weakest, label[a[inside]], weight[inside])
        holds &= ~(inside & (weight == weakest[label[a]]))
    return Grouped(holds=holds, group=label)


def one_to_one(n: int, a: Ints, b: Ints, weight: Ints) -> NDArray[np.bool_]:
    """Which pairs are kept so that every record has one partner at most: the heaviest first, everywhere at once.

    Pairs of equal weight are told apart by the numbers of the records.
    """
    import numpy as np

    kept = np.zeros(len(a), dtype=bool)
    order = np.lexsort((b, a, -weight))
    rank = np.empty(len(a), dtype=np.int64)
    rank[order] = np.arange(len(a))
    live = np.ones(len(a), dtype=bool)
    while live.any():
        best = np.full(n, len(a), dtype=np.int64)
        np.minimum.at(best, a[live], rank[live])
        np.minimum.at(best, b[live], rank[live])
        won = live & (best[a] == rank) & (best[b] == rank)
        kept |= won
        taken = np.zeros(n, dtype=bool)
        taken[a[won]] = True
        taken[b[won]] = True
        live &= ~(taken[a] | taken[b])
    return kept
