"""Put pairs together into groups, and cut groups whose members contradict each other.

A chain of pairs may join records that are clearly not the same. Such a group is built anew from its surest pairs on,
and a pair that would bring a contradiction in is left for a person to look at. The order of the rows plays no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


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

    label = groups(n, a, b)
    bad = np.unique(label[against_a[label[against_a] == label[against_b]]])
    holds = np.ones(len(a), dtype=bool)
    inside = np.flatnonzero(np.isin(label[a], bad))
    if len(inside):
        order = inside[np.lexsort((b[inside], a[inside], -weight[inside]))]
        holds[order] = _apart(a[order], b[order], against_a, against_b)
        label = groups(n, a[holds], b[holds])
    # A pair that was passed over may have been joined by others all the same.
    return Grouped(holds=label[a] == label[b], group=label)


def _apart(a: Ints, b: Ints, against_a: Ints, against_b: Ints) -> list[bool]:
    """Which of the pairs, from the first on, can be joined without joining what is against each other.

    Only the pairs of groups that contradict themselves come here, and they are few.
    """
    members: dict[int, set[int]] = {}
    against: dict[int, set[int]] = {}
    for x, y in zip(against_a.tolist(), against_b.tolist()):
        against.setdefault(x, set()).add(y)
        against.setdefault(y, set()).add(x)
    home: dict[int, int] = {}
    holds = []
    for x, y in zip(a.tolist(), b.tolist()):
        one, other = home.setdefault(x, x), home.setdefault(y, y)
        left, right = members.setdefault(one, {one}), members.setdefault(other, {other})
        clash = one != other and any(not right.isdisjoint(against.get(m, ())) for m in left)
        holds.append(not clash)
        if one != other and not clash:
            small, large = (one, other) if len(left) < len(right) else (other, one)
            members[large] |= members.pop(small)
            home.update(dict.fromkeys(members[large], large))
    return holds


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
