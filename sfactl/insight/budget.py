"""Fit how a channel's results grow with what is spent on it, and share out a budget where the next money brings most.

The curve is the modified exponential response: results = a (1 - exp(-spend / b)), through nothing at no spend, concave,
with a ceiling (Lilien, Kotler and Moorthy, *Marketing Models*, 1992, ch. 5.3). It is fitted by least squares to the
periods that are known. Where they cannot show a bend it is a straight line, and no channel is planned beyond
`STRETCH` times the most that was ever spent on it in a period: what was never tried is not foretold.

Shares are exact for the grid of `STEPS` equal parts: with concave curves, taking the parts with the greatest gain one
after another is optimal (Fox, *Discrete optimization via marginal analysis*, Management Science 13, 1966).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

STEPS = 1_000
STRETCH = 1.5
LEAST_PERIODS = 3
"""Fewer periods with costs than these show no curve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Results of one channel in one period by its spend. ``scale`` (b) is None for a straight line of ``slope``.

    ``most`` is the spend beyond which nothing is foretold.
    """

    ceiling: float
    scale: float | None
    slope: float
    most: float

    def results(self, spend: Numbers) -> Numbers:
        """Expected results of each spend of one period."""
        import numpy as np

        held = np.minimum(spend, self.most)
        if self.scale is None:
            return self.slope * held
        return -self.ceiling * np.expm1(-held / self.scale)

    def marginal(self, spend: float) -> float:
        """Results that one more unit of money brings at ``spend``."""
        import math

        if spend >= self.most:
            return 0.0
        return self.slope if self.scale is None else self.ceiling / self.scale * math.exp(-spend / self.scale)


def fit(spends: Sequence[float], results: Sequence[float]) -> Curve | None:
    """The curve of one channel from its periods with costs; None where fewer than `LEAST_PERIODS` have any."""
    import numpy as np
    from scipy.optimize import minimize_scalar

    x, y = np.asarray(spends, dtype=float), np.asarray(results, dtype=float)
    x, y = x[x > 0], y[x > 0]
    if len(x) < LEAST_PERIODS:
        return None
    most = float(x.max())
    slope = float((x * y).sum() / (x * x).sum())
    straight = Curve(ceiling=0.0, scale=None, slope=slope, most=most * STRETCH)

    def missed(log_scale: float) -> float:
        bend = -np.expm1(-x / np.exp(log_scale))
        ceiling = (bend * y).sum() / (bend * bend).sum()
        return float(((y - ceiling * bend) ** 2).sum())

    low, high = np.log(most / 20), np.log(most * 20)
    best = minimize_scalar(missed, bounds=(low, high), method="bounded")
    of_line = float(((y - slope * x) ** 2).sum())
    # A curve has one number more than a line: it must be better by what chance would give it (AIC for small samples).
    if len(x) < LEAST_PERIODS + 1 or _score(best.fun, len(x), 2) >= _score(of_line, len(x), 1):
        return straight
    scale = float(np.exp(best.x))
    bend = -np.expm1(-x / scale)
    ceiling = float((bend * y).sum() / (bend * bend).sum())
    return Curve(ceiling=ceiling, scale=scale, slope=ceiling / scale, most=most * STRETCH)


def _score(missed: float, n: int, numbers: int) -> float:
    """Akaike's criterion, corrected for small samples (Hurvich and Tsai, 1989); the error's variance counts too."""
    import math

    k = numbers + 1
    correction = 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else math.inf
    return n * math.log(max(missed, 1e-12) / n) + 2 * k + correction


def allocate(curves: Mapping[str, Curve], total: float) -> dict[str, float]:
    """The spend of each channel whose sum is at most ``total`` and whose expected results are the most.

    What no channel can use within what was ever tried is left over.
    """
    import numpy as np

    names = sorted(curves)
    if not names or total <= 0:
        return dict.fromkeys(names, 0.0)
    part = total / STEPS
    levels: Numbers = np.linspace(0.0, total, STEPS + 1)
    gains = np.stack([np.diff(curves[name].results(levels)) for name in names])
    # Gains fall along a channel, so that the greatest of all are the first ones of each; ties go by the name.
    order = np.lexsort((np.repeat(np.arange(len(names)), STEPS), -gains.ravel()))[:STEPS]
    taken = order[gains.ravel()[order] > 0] // STEPS
    counts = np.bincount(taken, minlength=len(names))
    return {name: float(part * count) for name, count in zip(names, counts)}
