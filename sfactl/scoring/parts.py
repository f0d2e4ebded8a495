"""Round the parts of a learned score so that they add up to the rounded whole.

The whole is rounded once, half up, and the part that is largest takes up what rounding the parts left over. A chance is
never shown as 0 or 100 %: it stays one smallest unit away.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sfactl.scoring.reasons import Reason

if TYPE_CHECKING:
    import pyarrow as pa

NEVER_CERTAIN = "never 0 or 100 %"


def total_units(points: Any, unit: int) -> Any:
    """The units of whole scores in percent, as numpy numbers."""
    import numpy as np

    # What floats add in the last digits must not decide a rounding.
    return np.clip(np.floor(np.round(points, 9) * unit + 0.5), 1, 100 * unit - 1)


def lead_totals(reasons: pa.Table) -> tuple[Any, Any]:
    """The leads of ``reasons``, and the sum of the points of each, added in the order of the rows."""
    import numpy as np

    ids, place = np.unique(reasons.column("lead_id").to_numpy(), return_inverse=True)
    return ids, np.bincount(place, weights=reasons.column("points").to_numpy(), minlength=len(ids))


def rounded_parts(rows: Sequence[tuple[str, float, str | None]], unit: int) -> list[Reason]:
    """The reasons of one lead, from its rows (rule, points, detail); their sum is the rounded whole exactly."""
    if not rows:
        return []
    whole = 0.0
    for _, points, _ in rows:
        whole += points
    wanted = _half_up(whole, unit)
    units = [_half_up(points, unit) for _, points, _ in rows]
    largest = max(range(len(rows)), key=lambda place: (abs(rows[place][1]), -place))
    units[largest] += wanted - sum(units)
    reasons = [
        Reason(kind="lead", name=rule, points=_points(n, unit), detail=detail)
        for (rule, _, detail), n in zip(rows, units, strict=True)
        if n
    ]
    bounded = min(max(wanted, 1), 100 * unit - 1)
    if bounded != wanted:
        reasons.append(Reason(kind="lead", name=NEVER_CERTAIN, points=_points(bounded - wanted, unit)))
    return reasons


def _half_up(points: float, unit: int) -> int:
    import numpy as np

    # The same operations as in `total_units`, so that a run and an explanation never differ.
    return int(np.floor(np.round(np.float64(points), 9) * unit + 0.5))


def _points(units: int, unit: int) -> Decimal:
    return Decimal(units).scaleb(-(len(str(unit)) - 1))
