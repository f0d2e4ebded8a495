"""Learn what each level of agreement is worth: Fellegi and Sunter's model, fitted by expectation and maximisation.

How often strangers agree comes from random pairs and from the frequencies of values; how often records of one and the
same agree is learned from the patterns of the compared pairs, beginning with a belief that few pairs cannot overthrow.
What a household or a company has in common proves no more than that two records belong to it: how often such pairs are
the same person is learned too, and bounds what all shared fields together may say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfactl.identity.comparison import Comparison
from sfactl.identity.dependence import Edge, correction, joint, lifts, tree
from sfactl.identity.patterns import GENERATIONS, Counted, Frequency

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROUNDS = 200
SETTLED = 1e-4
TINY = 1e-12
CREDIT = 10.0
"""So many true pairs weigh as much as the belief; and a fifth of those found, because fields are never independent."""
CREDIT_SHARE = 0.2
SHARED_ANYWAY = 0.02
"""Of the pairs that agree in a value, at least so many are strangers."""
NAMES = ("g", "f")
"""The features of a person's own names."""
COMPANY = ("co", "tax", "site")
"""The features that colleagues share."""
HIGHEST, LOWEST = 25.0, -12.0
"""Bits that no field goes beyond."""
HOUSEHOLD = (2.0, 6.0)
"""Belief about pairs that share all that a household shares: two the same among eight."""
CONTRADICTION = -4.0
"""A name that differs says at least so much."""
SELDOM = 3.0
"""A family name may differ, by marriage, so many times oftener than believed, and no more: colleagues who have a given
name in common must not teach that names prove nothing."""
TELLING = 7.0
"""Shared fields worth so many bits tell where somebody belongs; a trade or a town does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What was learned: bits by field and level (strongest first), the prior, and the bound on shared evidence.

    ``same`` and ``chance`` are how often true pairs and strangers show each level. ``partners`` is how many records are
    the same as one record, on average.
    """

    bits: tuple[tuple[float, ...], ...]
    same: tuple[tuple[float, ...], ...]
    chance: tuple[tuple[float, ...], ...]
    prior: float
    household: float
    expected: float
    partners: float
    edges: tuple[Edge, ...]


def fit(
    fields: Sequence[Comparison],
    compared: Counted,
    drawn: Counted,
    frequency: Mapping[str, Frequency],
    *,
    records: int,
    pairs: float,
) -> Model:
    """Fit the model to the compared pairs. ``pairs`` is how many there could be among ``records`` records."""
    import numpy as np

    fit = _Fit(fields, compared, drawn, frequency, pairs)
    found = max(1.0, 0.01 * records)
    household = -1.0
    p = np.zeros(len(compared.n))
    for _ in range(ROUNDS):
        prior = float(np.log2(found) - np.log2(max(pairs - found, 1.0)))
        bits = fit.bits()
        before = p
        p, saturated = fit.expect(bits, prior, household)
        found = min(float((compared.n * p).sum()) + 0.5, 10.0 * max(records, 1))
        fit.maximise(p)
        household = fit.household(p, saturated)
        if float(np.abs(p - before).max(initial=0.0)) < SETTLED:
            break
    prior = float(np.log2(found) - np.log2(max(pairs - found, 1.0)))
    return Model(
        bits=_rounded(fit.bits(), fields), same=_rounded(fit.m, fields, 6), chance=_rounded(fit.u, fields, 9),
        prior=round(prior, 3), household=round(household, 3), expected=round(found, 1),
        partners=round(2 * found / max(records, 1), 3), edges=tuple(fit.edges),
    )  # fmt: skip


def _rounded(rows: Sequence[Floats], fields: Sequence[Comparison], digits: int = 3) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(v), digits) for v in row[: len(c.levels)]) for row, c in zip(rows, fields))


def contradicts(fields: Sequence[Comparison], counted: Counted) -> NDArray[np.bool_]:
    """Which patterns say that the names differ, without a number that only one record has speaking against it.

    People of one name at two companies are two people, unless something of their own is the same. Father and son are
    two whatever is the same.
    """
    import numpy as np

    none = np.zeros(len(counted.n), dtype=bool)
    against, proof, moved, told = none.copy(), none.copy(), none.copy(), none.copy()
    people = counted.people > 0
    for i, c in enumerate(fields):
        same, differs = counted.levels[:, i] == 1, counted.levels[:, i] == len(c.levels)
        if c.who:
            against |= (people if c.feature == "g" else ~people) & differs
            moved |= people & differs & (c.feature != "g")
        if c.identifier:
            proof |= same & ~(people if c.name in ("email", "phone") else none)
        if c.told:
            told |= same
    found: NDArray[np.bool_] = (against & ~proof) | (moved & ~told) | (counted.people == GENERATIONS)
    return found


def totals(
    fields: Sequence[Comparison],
    counted: Counted,
    bits: Sequence[Floats],
    prior: float,
    household: float,
    off: tuple[Floats, Floats],
) -> tuple[Floats, NDArray[np.bool_]]:
    """The weight of each pattern in bits, and where shared evidence alone would make the records the same.

    ``off`` are the corrections for fields that agree together.
    """
    import numpy as np

    shared = prior + off[0]
    own = off[1]
    for i, c in enumerate(fields):
        said = np.concatenate([[0.0], bits[i]])[counted.levels[:, i]]
        if c.shared:
            shared = shared + said
        else:
            own = own + said
    people = counted.people > 0
    capped = np.where(people, np.minimum(shared, household), shared)
    return capped + own, people & (shared > 0)


class _Fit:
    """The state of one fit: what true pairs (m) and strangers (u) show, by field and level."""

    def __init__(
        self,
        fields: Sequence[Comparison],
        compared: Counted,
        drawn: Counted,
        frequency: Mapping[str, Frequency],
        pairs: float,
    ) -> None:
        import numpy as np

        self.fields = fields
        self.compared = compared
        self.against = contradicts(fields, compared)
        self.share = min(1.0, drawn.total / max(pairs, 1.0))
        self.drawn = [_by_level(drawn.levels[:, i], drawn.n, len(c.levels)) for i, c in enumerate(fields)]
        self.seen = [_by_level(compared.levels[:, i], compared.n, len(c.levels)) for i, c in enumerate(fields)]
        self.exact = [frequency.get(c.levels[0].count or "") for c in fields]
        self.beliefs = []
        for c, seen, drawn_levels in zip(fields, self.seen, self.drawn):
            belief = np.array([lv.belief for lv in c.levels])
            # A level that no pair shows is one that this data cannot show.
            belief = np.where(seen + drawn_levels > 0, belief, 1e-6)
            self.beliefs.append(belief / belief.sum())
        self.m = list(self.beliefs)
        self.worth = list(self.beliefs)
        self.u = list(self.beliefs)
        self._strangers([np.zeros(len(c.levels)) for c in fields])
        self.drawn_pairs = drawn
        self.tree = tree(fields, drawn)
        self.edges = self._together(np.zeros(len(compared.n)))

    def bits(self) -> list[Floats]:
        """The worth of each level, never more than a stronger level of the field; the weakest is never proof."""
        import numpy as np

        made = []
        for c, m, u, worth in zip(self.fields, self.m, self.u, self.worth):
            bits = np.clip(np.log2(np.maximum(m, TINY)) - np.log2(np.maximum(u, TINY)), LOWEST, HIGHEST)
            if c.chain:
                bits = falling(bits, worth)
            bits[-1] = min(bits[-1], CONTRADICTION if c.who else 0.0)
            made.append(bits)
        return made

    def expect(self, bits: Sequence[Floats], prior: float, household: float) -> tuple[Floats, NDArray[np.bool_]]:
        import numpy as np

        off = correction(self.fields, self.compared.levels, bits, self.edges)
        weight, saturated = totals(self.fields, self.compared, bits, prior, household, off)
        p = 1.0 / (1.0 + np.exp2(-np.clip(weight, -60, 60)))
        return np.where(self.against, 0.0, p), saturated

    def maximise(self, p: Floats) -> None:
        same = self.compared.n * p
        credit = CREDIT + CREDIT_SHARE * float(same.sum())
        matched = [_by_level(self.compared.levels[:, i], same, len(c.levels)) for i, c in enumerate(self.fields)]
        self.worth = [hit + CREDIT * belief for hit, belief in zip(matched, self.beliefs)]
        self.m = [
            _bounded(c, (hit + credit * belief) / (hit.sum() + credit), belief)
            for c, hit, belief in zip(self.fields, matched, self.beliefs)
        ]
        self._strangers(matched)
        self.edges = self._together(same)

    def household(self, p: Floats, saturated: NDArray[np.bool_]) -> float:
        """Odds, in bits, that two who share what a household or company shares are the same.

        Most colleagues are never compared, because nothing but the company brings them together; they are counted by
        the values they share. Else only namesakes would be looked at, and a common given name would prove too much.
        """
        import numpy as np

        same = float((self.compared.n * p)[saturated].sum())
        seen = float((self.compared.n * (1 - p))[saturated].sum())
        other = max(seen, self._belonging() - same)
        return float(np.clip(np.log2((same + HOUSEHOLD[0]) / (other + HOUSEHOLD[1])), -12.0, 6.0))

    def _belonging(self) -> float:
        """Pairs that have a telling shared value in common, by the field that most have."""
        found = [0.0]
        for c, exact in zip(self.fields, self.exact):
            if c.shared and c.feature in COMPANY and exact is not None and exact.agreeing:
                rarity = exact.possible / exact.agreeing
                if rarity >= 2**TELLING:
                    found.append(exact.agreeing)
        return max(found)

    def _together(self, same: Floats) -> list[Edge]:
        """How fields agree together among random pairs, less those that are the same."""
        import numpy as np

        made = []
        for i, j in self.tree:
            met = joint(self.drawn_pairs, self.drawn_pairs.n, i, j, self.fields)
            hit = joint(self.compared, same, i, j, self.fields)
            made.append(Edge(one=i, other=j, lift=lifts(np.maximum(met - hit * self.share, 0.0))))
        return made

    def _strangers(self, matched: Sequence[Floats]) -> None:
        """Chance agreement: what random pairs show, and all pairs with one value, less those that are the same."""
        import numpy as np

        for i, (drawn, hit) in enumerate(zip(self.drawn, matched)):
            left = np.maximum(drawn - hit * self.share, 0.02 * drawn) + 0.5 / len(drawn)
            u = left / left.sum()
            exact = self.exact[i]
            if exact is not None and exact.filled > 1:
                # What is given to one record only has been seen with strangers, if at all, for this share of cases.
                doubt = SHARED_ANYWAY if self.fields[i].identifier else 0.5
                agreeing = max(exact.agreeing - float(hit[0]), SHARED_ANYWAY * exact.agreeing) + doubt
                u = np.concatenate([[0.0], u[1:] / max(u[1:].sum(), 1e-12)])
                first = min(agreeing / max(exact.possible, 1.0), 0.999)
                u = u * (1 - first)
                u[0] = first
            self.u[i] = u


def _bounded(field: Comparison, m: Floats, belief: Floats) -> Floats:
    """``m`` with no more differing names than `SELDOM` times as many as believed."""
    most = SELDOM * belief[-1]
    if field.feature not in NAMES or m[-1] <= most:
        return m
    bounded: Floats = m * (1 - most) / max(1 - m[-1], TINY)
    bounded[-1] = most
    return bounded


def falling(bits: Floats, worth: Floats) -> Floats:
    """The nearest values to ``bits``, by weight ``worth``, that never rise (pool adjacent violators)."""
    import numpy as np

    pools: list[list[float]] = []
    for value, weight in zip(bits, worth):
        pools.append([float(value), float(weight), 1])
        while len(pools) > 1 and pools[-2][0] < pools[-1][0]:
            late, early = pools.pop(), pools.pop()
            total = early[1] + late[1]
            pools.append([(early[0] * early[1] + late[0] * late[1]) / total, total, early[2] + late[2]])
    return np.concatenate([np.full(int(n), value) for value, _, n in pools])


def _by_level(levels: NDArray[np.int64], n: Floats, count: int) -> Floats:
    """Pairs at each level, strongest first; those where the field says nothing are left out."""
    import numpy as np

    return np.bincount(levels, weights=n, minlength=count + 1)[1 : count + 1].astype(np.float64)
