"""How good a score is: figures over leads whose outcome is known, each with an interval of 95 % where it has one.

Sources: AUC and its variance by DeLong et al. (Biometrics 44, 1988) with the ranks of Sun and Xu (IEEE SPL 21, 2014);
shares by Wilson (JASA 22, 1927); Brier's score (Monthly Weather Review 78, 1950) with the normal interval of a mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

Z = 1.959963984540054
BINS = 10
SMALLEST_CHANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure and its interval of 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Leads of like chance: how many, the mean chance predicted, and the share won with its Wilson interval."""

    leads: int
    predicted: float
    observed: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Figures over held-out leads. ``brier_base`` and ``log_loss_base`` are those of the base rate of the training.

    ``lift_10`` says how many times the average are won among the best 10 %.
    """

    leads: int
    won: int
    auc: Interval
    brier: Interval
    brier_base: float
    log_loss: float
    log_loss_base: float
    lift_10: Interval
    lift_20: Interval
    ks: float
    reliability: tuple[Bin, ...]


def measured(won: Array, points: Array, chances: Array, base: float) -> Metrics:
    """The figures of ``points`` (any scale, for ranking) and ``chances`` (0 to 1); both outcomes must occur.

    ``base`` is the share won among the leads that were learned from.
    """
    import numpy as np
    from scipy import stats

    squared = (chances - won) ** 2
    brier = float(squared.mean())
    spread = Z * float(squared.std(ddof=1)) / len(won) ** 0.5 if len(won) > 1 else 0.0
    return Metrics(
        leads=len(won),
        won=int(won.sum()),
        auc=auc(won, points),
        brier=Interval(value=brier, low=max(0.0, brier - spread), high=brier + spread),
        brier_base=float(((base - won) ** 2).mean()),
        log_loss=log_loss(won, chances),
        log_loss_base=log_loss(won, np.full(len(won), base)),
        lift_10=lift(won, points, 0.1),
        lift_20=lift(won, points, 0.2),
        ks=float(stats.ks_2samp(points[won], points[~won], method="asymp").statistic),
        reliability=reliability(won, chances),
    )


def auc(won: Array, points: Array) -> Interval:
    """The chance that a won lead has more points than a lost one (ties count half)."""
    import numpy as np

    of_won, of_lost = components(won, points)
    value = float(of_won.mean())
    variance = 0.0
    for part in (of_won, of_lost):
        variance += float(np.var(part, ddof=1)) / len(part) if len(part) > 1 else 0.25
    spread = Z * variance**0.5
    return Interval(value=value, low=max(0.0, value - spread), high=min(1.0, value + spread))


def auc_difference(won: Array, one: Array, other: Array) -> Interval:
    """AUC of ``one`` less that of ``other`` over the same leads, with DeLong's interval for paired curves."""
    import numpy as np

    first, second = components(won, one), components(won, other)
    value = float(first[0].mean() - second[0].mean())
    variance = 0.0
    for a, b in zip(first, second, strict=True):
        variance += float(np.var(a - b, ddof=1)) / len(a) if len(a) > 1 else 0.25
    spread = Z * variance**0.5
    return Interval(value=value, low=value - spread, high=value + spread)


def components(won: Array, points: Array) -> tuple[Array, Array]:
    """DeLong's structural components: for each won lead the share of lost ones below it, and the other way round."""
    from scipy import stats

    above, below = points[won], points[~won]
    ranks = stats.rankdata(points)
    of_won: Array = (ranks[won] - stats.rankdata(above)) / len(below)
    of_lost: Array = 1 - (ranks[~won] - stats.rankdata(below)) / len(above)
    return of_won, of_lost


def log_loss(won: Array, chances: Array) -> float:
    """Mean negative logarithm of the chance given to what happened."""
    import numpy as np

    safe = np.clip(chances, SMALLEST_CHANCE, 1 - SMALLEST_CHANCE)
    return float(-np.mean(np.where(won, np.log(safe), np.log1p(-safe))))


def lift(won: Array, points: Array, share: float) -> Interval:
    """The share won among the best ``share`` of leads, in times of the share won overall.

    Where the border cuts through leads of equal points, they count in proportion: the order of rows never matters.
    """
    import numpy as np

    depth = share * len(won)
    levels, place = np.unique(-points, return_inverse=True)
    leads = np.bincount(place, minlength=len(levels)).cumsum()
    wins = np.bincount(place, weights=won, minlength=len(levels)).cumsum()
    found = float(np.interp(depth, np.concatenate([[0], leads]), np.concatenate([[0.0], wins])))
    base = float(won.mean())
    low, high = wilson(found, depth)
    return Interval(value=found / depth / base, low=low / base, high=high / base)


def reliability(won: Array, chances: Array) -> tuple[Bin, ...]:
    """Up to ten bins of about as many leads each, by chance; leads of equal chance stay together."""
    import numpy as np

    edges = np.unique(np.quantile(chances, np.linspace(0, 1, BINS + 1)[1:-1]))
    places = np.searchsorted(edges, chances, side="right")
    bins = []
    for place in np.unique(places):
        chosen = places == place
        leads, wins = int(chosen.sum()), float(won[chosen].sum())
        low, high = wilson(wins, leads)
        bins.append(
            Bin(leads=leads, predicted=float(chances[chosen].mean()), observed=wins / leads, low=low, high=high)
        )
    return tuple(bins)


def wilson(wins: float, leads: float) -> tuple[float, float]:
    """Wilson's interval of 95 % for the share ``wins / leads``."""
    share, square = wins / leads, Z * Z / leads
    middle = (share + square / 2) / (1 + square)
    half = Z * ((share * (1 - share) + square / 4) / leads) ** 0.5 / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def chances_by_points(won: Array, points: Array, asked: Array) -> Array:
    """The chances that belong to points ``asked``, learned by isotonic regression from leads with ``points``.

    For scores whose points are no chances. Each step counts one more lead that is won at the base rate, so that no
    chance is 0 or 1.
    """
    import numpy as np
    from scipy import optimize

    levels, place = np.unique(points, return_inverse=True)
    leads = np.bincount(place).astype(float)
    wins = np.bincount(place, weights=won)
    fitted = optimize.isotonic_regression(wins / leads, weights=leads)
    base = float(won.mean())
    blocks = fitted.blocks
    sizes = np.add.reduceat(leads, blocks[:-1])
    steps = (np.add.reduceat(wins, blocks[:-1]) + base) / (sizes + 1)
    steps = np.maximum.accumulate(steps)
    at = np.searchsorted(levels[blocks[:-1]], asked, side="right") - 1
    found: Array = steps[np.maximum(at, 0)]
    return found
