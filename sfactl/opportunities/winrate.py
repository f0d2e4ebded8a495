"""Win rates: won over all deals and over the closed ones, each with the interval that small numbers deserve. Pure."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

from sfactl.opportunities.model import Rate, WinRate


def wilson(successes: int, trials: int, *, confidence: float = 0.95) -> Rate:
    """The share with its score interval (Wilson 1927, JASA 22:209–212; Brown, Cai, DasGupta 2001, eq. 4).

    It stays within 0 and 1 and is sound for few trials. 0 of 0 has no rate.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials}")
    if trials == 0:
        return Rate(value=None, low=None, high=None)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    reach = z / (1 + z * z / trials) * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    # At the ends the formula gives exactly 0 and 1; only rounding says otherwise.
    low = 0.0 if successes == 0 else max(0.0, middle - reach)
    high = 1.0 if successes == trials else min(1.0, middle + reach)
    return Rate(value=share, low=low, high=high)


def win_rate(group: str | None, scope: str, *, won: int, lost: int, still_open: int) -> WinRate:
    """Both rates of one group."""
    deals = won + lost + still_open
    return WinRate(
        group=group,
        scope=scope,
        deals=deals,
        won=won,
        lost=lost,
        open=still_open,
        of_all=wilson(won, deals),
        of_closed=wilson(won, won + lost),
    )
