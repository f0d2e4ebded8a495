"""Rates with honest intervals. Small numbers get wide ones, and nought of few is not nought of many."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z95 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: two-sided 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of so many, with the interval in which the true rate lies."""

    hits: int
    of: int
    rate: float | None
    low: float
    high: float


def share(hits: int, of: int) -> Share:
    """``hits`` of ``of`` with its Wilson interval at 95 %."""
    low, high = wilson(hits, of)
    return Share(hits=hits, of=of, rate=hits / of if of else None, low=low, high=high)


def wilson(hits: int, of: int, z: float = Z95) -> tuple[float, float]:
    """The score interval of a proportion, within 0 and 1; nothing observed gives (0, 1).

    Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference, JASA 22, 209-212,
    doi:10.1080/01621459.1927.10502953.
    """
    if of == 0:
        return 0.0, 1.0
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of} is not a share")
    rate = hits / of
    spread = z * sqrt(rate * (1 - rate) / of + z * z / (4 * of * of))
    centre = rate + z * z / (2 * of)
    scale = 1 + z * z / of
    # Rounding may leave a bound a hair on the wrong side of the certain ends and of the rate itself.
    low = 0.0 if hits == 0 else min(rate, (centre - spread) / scale)
    high = 1.0 if hits == of else max(rate, (centre + spread) / scale)
    return low, high
