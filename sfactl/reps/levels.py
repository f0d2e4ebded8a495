"""Share leads among reps as evenly as their places allow. Pure.

A rep with weight *w* who had *t* turns takes the next seat at priority (2(t+1) - 1) / w, the next but one at
(2(t+2) - 1) / w, and so on: the divisor method of Sainte-Laguë (Balinski and Young, *Fair Representation*, 1982). Where
not every rep may take every lead, the loads are decreasingly minimal (Frank and Murota, *Discrete Decreasing
Minimization*, 2022): the highest priority that must be used is as low as can be, used as seldom as can be, then the
next one, and so on. With equal weights, reps who may take the same leads and have room never differ by more than one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from sfactl.reps.flow import Network, by_group, distinct_rows, spread

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]

GRID = 4096
"""Priorities are bracketed in steps of 1 / GRID: smaller than what two seats of one rep are ever apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """Each rep's turns had, weight, and free places."""

    turns: Ints
    weight: Ints
    free: Ints

    def up_to(self, level: int) -> Ints:
        """How many places each rep has with a priority of at most ``level`` / GRID."""
        import numpy as np

        places: Ints = np.clip((level * self.weight + GRID) // (2 * GRID) - self.turns, 0, self.free)
        return places

    def limited(self, free: Ints) -> Seats:
        """The same with other free places."""
        return replace(self, free=free)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """How many leads each part has, and which rep may take them."""

    amount: Ints
    edges: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Seating:
    """Seats in the order in which leads of their part take them: the part, the rep, the number of the rep's turn."""

    part: Ints
    rep: Ints
    number: Ints


def seating(now: Demand, later: Demand, seats: Seats) -> Seating:
    """Seats for all leads of ``now`` such that those of ``later`` still find a place. There must be enough."""
    import numpy as np

    total = int(now.amount.sum())
    reps_now = now.edges[now.amount > 0].any(axis=0)
    if (later.amount @ later.edges + total * reps_now <= seats.free)[later.edges.any(axis=0)].all():
        later = Demand(amount=later.amount[:0], edges=later.edges[:0])
    if len(now.amount) == 1 and not len(later.amount):
        loads = _loads_of_one(total, seats.limited(np.where(now.edges[0], seats.free, 0)))
        flow, class_of = now.amount.reshape(1, 1), np.zeros(len(loads), dtype=np.int64)
    else:
        levels = _Levels(now, later, seats)
        loads, flow, class_of = levels.loads(), levels.flow(), levels.class_of
    rep = spread(loads.tolist())
    number = seats.turns[rep] + np.arange(len(rep)) - np.repeat(np.cumsum(loads) - loads, loads) + 1
    # One division of small whole numbers: equal fractions give equal doubles and different ones never swap.
    priority = (2 * number - 1) / seats.weight[rep]
    order = np.lexsort((rep, priority, class_of[rep]))
    part = np.concatenate([spread(flow[:, c].tolist()) for c in range(flow.shape[1])])
    order = order[np.lexsort((rep[order], priority[order], part))]
    return Seating(part=np.sort(part), rep=rep[order], number=number[order])


def _loads_of_one(total: int, seats: Seats) -> Ints:
    """The loads when every lead may go to every rep: the seats with the smallest priorities, ties by place."""
    import numpy as np

    level = _enough(total, seats)
    base = seats.up_to(level - 1)
    tied: list[int] = np.flatnonzero(seats.up_to(level) > base).tolist()
    ranked = sorted(tied, key=lambda r: (_priority(seats, base, r), r))
    base[ranked[: total - int(base.sum())]] += 1
    return base


def _enough(total: int, seats: Seats) -> int:
    """The lowest level with so many places."""
    low, high = 0, GRID
    while int(seats.up_to(high).sum()) < total:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if int(seats.up_to(middle).sum()) >= total else (middle, high)
    return high


def _priority(seats: Seats, base: Ints, rep: int) -> Fraction:
    """The exact priority of the seat after the first ``base`` ones."""
    return Fraction(2 * int(seats.turns[rep] + base[rep] + 1) - 1, int(seats.weight[rep]))


class _Levels:
    """Lower the loads from the top until nothing can be lowered."""

    def __init__(self, now: Demand, later: Demand, seats: Seats) -> None:
        import numpy as np

        self._seats = seats
        columns = np.concatenate([now.edges, later.edges]).T
        classes, self.class_of = distinct_rows(columns)
        self._count = len(classes)
        self._demand = np.concatenate([now.amount, later.amount])
        self._now = int(now.amount.sum())
        self._room = by_group(self.class_of, seats.free, self._count)
        self._network = Network(now.edges[:, classes], second=later.edges[:, classes])
        self._fixed = np.full(self._count, -1, dtype=np.int64)
        self._loads = np.zeros(len(seats.free), dtype=np.int64)
        self._limit = np.where(now.edges.any(axis=0), seats.free, 0)

    def loads(self) -> Ints:
        """The load of each rep."""
        import numpy as np

        while not self._fits(np.zeros(len(self._limit), dtype=np.int64)):
            self._fix_top()
        return self._loads

    def flow(self) -> Ints:
        """How many leads of each part go to each class under the loads."""
        import numpy as np

        gates = np.maximum(self._fixed, 0)
        return self._network.flow(self._demand, self._room, gates)[1]

    def _fits(self, quota: Ints) -> bool:
        """Whether all leads find a place when the classes that are not fixed take at most ``quota``."""
        import numpy as np

        gates = np.where(self._fixed >= 0, self._fixed, by_group(self.class_of, quota, self._count))
        return self._network.flow(self._demand, self._room, gates)[0] == int(self._demand.sum())

    def _fix_top(self) -> None:
        """Find the highest priority that must be used, and settle the classes that need it."""
        seats = self._seats.limited(self._limit)
        level = self._lowest_level(seats)
        low = seats.up_to(level - 1)
        raised: list[int] = (seats.up_to(level) > low).nonzero()[0].tolist()
        tops = {r: _priority(seats, low, r) for r in raised}
        ladder = sorted(set(tops.values()))
        bottom, top = 0, len(ladder) - 1
        while bottom < top:
            middle = (bottom + top) // 2
            fits = self._fits(self._with(low, [r for r, p in tops.items() if p <= ladder[middle]]))
            bottom, top = (bottom, middle) if fits else (middle + 1, top)
        base = self._with(low, [r for r, p in tops.items() if p < ladder[top]])
        self._settle(base, [r for r, p in tops.items() if p == ladder[top]])

    def _lowest_level(self, seats: Seats) -> int:
        fixed = int(self._fixed[self._fixed >= 0].sum())
        low = _enough(max(self._now - fixed, 1), seats) - 1
        step, high = 1, low + 1
        while not self._fits(seats.up_to(high)):
            low, high, step = high, high + step, step * 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._fits(seats.up_to(middle)) else (middle, high)
        return high

    def _settle(self, base: Ints, ties: list[int]) -> None:
        """Leave out every seat of the top that is not needed, the last reps first; who still needs one is settled."""
        import numpy as np

        by_class: dict[int, list[int]] = {}
        for rep in sorted(ties):
            by_class.setdefault(int(self.class_of[rep]), []).append(rep)
        needed = dict(by_class)
        for klass in sorted(by_class, key=lambda c: -by_class[c][0]):
            low, high = 0, len(by_class[klass])
            while low < high:
                middle = (low + high) // 2
                trial = needed | {klass: by_class[klass][:middle]}
                fits = self._fits(self._with(base, [r for reps in trial.values() for r in reps]))
                low, high = (low, middle) if fits else (middle + 1, high)
            needed[klass] = by_class[klass][:low]
        for klass, reps in needed.items():
            if reps:
                members = self.class_of == klass
                settled = self._with(base, reps)
                self._loads[members] = settled[members]
                self._fixed[klass] = int(settled[members].sum())
        self._limit = np.where(self._fixed[self.class_of] >= 0, 0, base)

    @staticmethod
    def _with(base: Ints, reps: list[int]) -> Ints:
        raised = base.copy()
        raised[reps] += 1
        return raised
