"""Refuse features that tell the outcome because they were written after it. Pure: it looks at values and at evidence.

In this order: what the user declares; what history or dates show to be later than the outcome; what looks like a leak
on leads that did not set the measure (folds); and what nothing can be learned from. Of what is merely suspected, the
user may allow it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sfactl.api.classes import coded, edges_of
from sfactl.scoring.splitting import drawn

if TYPE_CHECKING:
    import pyarrow as pa

LATE_SHARE = 0.1
"""A field is late when it was written after the outcome for more than this share of the won, or of the lost, leads."""
LATE_LEADS = 5
"""Fewer leads of known history are no evidence."""
DECIDES_AUC = 0.9
"""A single field that ranks leads it was not fitted to as well as this nearly decides the outcome."""
SETTLES_AUC, SETTLES_SHARE, SETTLES_RATE = 0.75, 0.1, 0.02
"""So does one of an AUC of 0.75 by which for a tenth of the leads one outcome is fifty times rarer than on average."""
FILLED_RATE = 0.05
FEWEST_EXPECTED = 10
FEWEST_CLASS = 10
FOLDS = 5
CLASSES = 20
PRIOR = 5.0
ID_SHARE, ID_LEADS = 0.5, 20

LEAKS = ("declared", "late", "suspected")

Kind = Literal["declared", "late", "suspected", "identifier", "unusable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """In how many leads a field got its value after the outcome, of those whose history tells, by outcome."""

    won: int = 0
    won_known: int = 0
    lost: int = 0
    lost_known: int = 0
    how: str = "written"

    @property
    def phrase(self) -> str:
        """The evidence in words, of the outcome where it weighs more; empty where there is too little."""
        found = [
            (n / known, f"{self.how} after the outcome in {n:,} of {known:,} {word} leads")
            for n, known, word in ((self.won, self.won_known, "won"), (self.lost, self.lost_known, "lost"))
            if known >= LATE_LEADS and n / known > LATE_SHARE
        ]
        return max(found)[1] if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A feature that is not learned from, the evidence, and what to do if that is wrong."""

    feature: str
    kind: Kind
    evidence: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the guard decided. ``allowed`` are features it would refuse, had the user not allowed them."""

    kept: tuple[str, ...]
    refused: tuple[Refused, ...]
    allowed: tuple[Refused, ...]


def inspect(
    table: pa.Table,
    features: Sequence[str],
    won: Any,
    *,
    late: Mapping[str, Sequence[Late]],
    declared: Collection[str] = (),
    allow: Collection[str] = (),
    unusable: Mapping[str, str] | None = None,
) -> Verdict:
    """Look at ``features`` of the leads in ``table``, of which ``won`` were won.

    ``unusable`` names features that cannot be computed for the past, and why.
    """
    kept: list[str] = []
    refused: list[Refused] = []
    allowed: list[Refused] = []
    folds = (drawn(table.column("lead_id").to_numpy().astype("uint64"), 1) * FOLDS).astype(int)
    for name in features:
        column = table.column(name)
        found = _declared(name, declared) or _late(name, late.get(name, ()))
        useless = _unusable(name, column, unusable or {})
        if found is None and useless is None:
            found = _identifier(name, column) or _suspected(name, column, won, folds)
        if found is not None and found.kind != "declared" and name in allow:
            allowed.append(found)
            found = None
        found = found or useless
        if found is None:
            kept.append(name)
        else:
            refused.append(found)
    for found in _followers(table, kept, refused):
        if found.feature in allow:
            allowed.append(found)
        else:
            kept.remove(found.feature)
            refused.append(found)
    order = {name: place for place, name in enumerate(features)}
    refused.sort(key=lambda one: order[one.feature])
    return Verdict(kept=tuple(kept), refused=tuple(refused), allowed=tuple(allowed))


def _followers(table: pa.Table, kept: Sequence[str], refused: Sequence[Refused]) -> list[Refused]:
    """Features that are filled only where a leak is: they were recorded with it or after it."""
    import numpy as np

    leaks = [one.feature for one in refused if one.kind in LEAKS]
    found: dict[str, Refused] = {}
    for leak in leaks:
        without = table.column(leak).is_null().to_numpy()
        if not 0 < without.sum() < len(without):
            continue
        for name in kept:
            filled = table.column(name).is_valid().to_numpy()
            expected, there = without.sum() * filled.mean(), int(np.sum(filled & without))
            if name not in found and expected >= FEWEST_EXPECTED and (there + 0.5) / (expected + 0.5) <= FILLED_RATE:
                said = f"filled in only {there:,} of {without.sum():,} leads without {leak}, which is refused"
                remedy = _allow(name, "if it is known in time")
                found[name] = Refused(feature=name, kind="suspected", evidence=said, remedy=remedy)
    return list(found.values())


def _declared(name: str, declared: Collection[str]) -> Refused | None:
    if name not in declared:
        return None
    return Refused(
        feature=name,
        kind="declared",
        evidence="declared as known only after the outcome",
        remedy="take it out of known_after_outcome",
    )


def _unusable(name: str, column: pa.ChunkedArray, unusable: Mapping[str, str]) -> Refused | None:
    evidence, remedy = unusable.get(name, ""), "leave it out of features"
    if not evidence and column.null_count == len(column):
        evidence, remedy = "always empty", "fill it, or leave it out of features"
    if not evidence and column.null_count == 0 and len(column.unique()) == 1:
        evidence = f"always the same: {column[0].as_py()}"
    return Refused(feature=name, kind="unusable", evidence=evidence, remedy=remedy) if evidence else None


def _late(name: str, evidence: Sequence[Late]) -> Refused | None:
    phrase = next((late.phrase for late in evidence if late.phrase), "")
    if not phrase:
        return None
    return Refused(feature=name, kind="late", evidence=phrase, remedy=_allow(name, "if it is known in time"))


def _identifier(name: str, column: pa.ChunkedArray) -> Refused | None:
    import pyarrow as pa

    known = len(column) - column.null_count
    values = len(column.unique()) - (1 if column.null_count else 0)
    if known < ID_LEADS:
        return None
    if pa.types.is_string(column.type) and values > ID_SHARE * known:
        said = f"{values:,} values in {known:,} leads: it names leads rather than describes them"
    elif pa.types.is_floating(column.type) and values == known and _numbered(column, known):
        said = f"{known:,} different whole numbers, where chance would repeat some: they number the leads"
    else:
        return None
    return Refused(feature=name, kind="identifier", evidence=said, remedy=_allow(name, "if it is no identifier"))


def _numbered(column: pa.ChunkedArray, known: int) -> bool:
    """Whole numbers that never repeat although so many drawn from their range would (birthday problem)."""
    import numpy as np

    values = column.drop_null().to_numpy()
    if not np.isfinite(values).all() or (values % 1).any():
        return False
    reach = float(values.max() - values.min()) + 1
    return known * (known - 1) / (2 * reach) >= FEWEST_EXPECTED


def _suspected(name: str, column: pa.ChunkedArray, won: Any, folds: Any) -> Refused | None:
    if min(won.sum(), len(won) - won.sum()) < FEWEST_CLASS:
        return None
    evidence = _filled(column, won) or _decides(column, won, folds)
    if not evidence:
        return None
    return Refused(feature=name, kind="suspected", evidence=evidence, remedy=_allow(name, "if it is known in time"))


def _filled(column: pa.ChunkedArray, won: Any) -> str:
    """A leak by emptiness: who has a value at all, or who has none, is nearly always won or nearly always lost."""
    import numpy as np

    empty = column.is_null().to_numpy()
    if not empty.any():
        return ""
    for chosen, word in ((~empty, "filled"), (empty, "empty")):
        # A field that all who were won have may be honest; it takes many leads without it to be suspicious.
        if word == "empty" and chosen.mean() < SETTLES_SHARE:
            continue
        for outcome, other in ((won, "lost"), (~won, "won")):
            expected = chosen.sum() * outcome.mean()
            found = int(np.sum(chosen & outcome))
            if expected >= FEWEST_EXPECTED and (found + 0.5) / (expected + 0.5) <= FILLED_RATE:
                return (
                    f"where it is {word}, {chosen.sum() - found:,} of {chosen.sum():,} leads were {other}"
                    f" ({1 - outcome.mean():.0%} of all)"
                )
    return ""


def _decides(column: pa.ChunkedArray, won: Any, folds: Any) -> str:
    """A field that by itself tells the outcome of leads it was not fitted to."""
    from sfactl.scoring.metrics import auc

    points = alone(column, won, folds)
    value = auc(won, points).value
    if value >= DECIDES_AUC:
        return f"alone it tells won from lost with an AUC of {value:.2f}"
    share = settled(points, won) if value >= SETTLES_AUC else 0.0
    if share >= SETTLES_SHARE:
        return f"alone it has an AUC of {value:.2f}, and for {share:.0%} of the leads it leaves only one outcome"
    return ""


def alone(column: pa.ChunkedArray, won: Any, folds: Any) -> Any:
    """The share won among leads of like value in the other folds, for each lead."""
    import numpy as np

    codes, labels = coded(column, edges_of(column, CLASSES))
    places = codes + 1
    points = np.empty(len(won))
    for fold in range(FOLDS):
        other, own = folds != fold, folds == fold
        base = won[other].mean() if other.any() else won.mean()
        leads = np.bincount(places[other], minlength=len(labels) + 1)
        wins = np.bincount(places[other], weights=won[other], minlength=len(labels) + 1)
        points[own] = ((wins + PRIOR * base) / (leads + PRIOR))[places[own]]
    return points


def settled(points: Any, won: Any) -> float:
    """The share of leads at both ends of the ranking where one outcome is all but impossible."""
    import numpy as np

    share = 0.0
    for order, outcome in ((points, won), (-points, ~won)):
        _, place = np.unique(order, return_inverse=True)
        leads = np.bincount(place).cumsum()
        found = np.bincount(place, weights=outcome).cumsum()
        expected = leads * outcome.mean()
        rare = (expected >= FEWEST_EXPECTED) & ((found + 0.5) / (expected + 0.5) <= SETTLES_RATE)
        share += float(leads[rare].max(initial=0)) / len(won)
    return share


def _allow(name: str, when: str) -> str:
    return f'write allow = ["{name}"] {when}'
