"""How far fields agree together among strangers anyway, so that one proof is not counted twice.

Fields are joined to a tree by what they tell about each other among random pairs (Chow and Liu, 1968). Along each edge
the lift says how much oftener two levels meet than by chance; that much is taken off again, but never more than the
weaker of the two said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfactl.identity.comparison import Comparison
from sfactl.identity.patterns import Counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DOUBT = 3.0
"""So many pairs beyond chance are still chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Two fields (by number) that agree together, and by how many bits, by their levels (0: says nothing)."""

    one: int
    other: int
    lift: Floats


def tree(fields: Sequence[Comparison], drawn: Counted) -> list[tuple[int, int]]:
    """Pairs of fields that form the tree of greatest mutual information."""
    import numpy as np

    told = []
    for i in range(len(fields)):
        for j in range(i):
            met = joint(drawn, drawn.n, i, j, fields)[1:, 1:]
            if met.sum() > 0:
                p = met / met.sum()
                chance = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
                with np.errstate(divide="ignore", invalid="ignore"):
                    told.append((float(np.nansum(np.where(p > 0, p * np.log2(p / chance), 0.0))), j, i))
    group = list(range(len(fields)))
    edges = []
    for worth, j, i in sorted(told, reverse=True):
        if worth > 0 and group[i] != group[j]:
            old, new = group[i], group[j]
            group = [new if g == old else g for g in group]
            edges.append((j, i))
    return edges


def joint(counted: Counted, n: Floats, i: int, j: int, fields: Sequence[Comparison]) -> Floats:
    """Pairs by the levels of two fields."""
    import numpy as np

    rows, columns = len(fields[i].levels) + 1, len(fields[j].levels) + 1
    code = counted.levels[:, i] * columns + counted.levels[:, j]
    return np.bincount(code, weights=n, minlength=rows * columns).astype(np.float64).reshape(rows, columns)


def lifts(met: Floats) -> Floats:
    """Bits by which levels meet oftener than by chance; never below 0, and 0 where a field says nothing."""
    import numpy as np

    made = np.zeros_like(met)
    known = met[1:, 1:]
    total = known.sum()
    if total > 0:
        chance = known.sum(axis=1, keepdims=True) * known.sum(axis=0, keepdims=True) / total
        made[1:, 1:] = np.maximum(0.0, np.log2((known + DOUBT) / (chance + DOUBT)))
    return made


def correction(
    fields: Sequence[Comparison], levels: NDArray[np.int64], bits: Sequence[Floats], edges: Sequence[Edge]
) -> tuple[Floats, Floats]:
    """Bits to take off for patterns (never above 0): between shared fields, and between all others."""
    import numpy as np

    shared, own = np.zeros(len(levels)), np.zeros(len(levels))
    for edge in edges:
        one, other = levels[:, edge.one], levels[:, edge.other]
        weaker = np.minimum(
            np.concatenate([[0.0], bits[edge.one]])[one], np.concatenate([[0.0], bits[edge.other]])[other]
        )
        off = np.minimum(edge.lift[one, other], np.maximum(weaker, 0.0))
        if fields[edge.one].shared and fields[edge.other].shared:
            shared -= off
        else:
            own -= off
    return shared, own
