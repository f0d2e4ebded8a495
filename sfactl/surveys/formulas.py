"""The figures of surveys by their standard formulas, each with the interval in which the true one lies at 95 %.

Pure: counts in, figures out. Where too few answered there is no figure, and no mean either.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

from sfactl.config.surveys import Kind
from sfactl.insight.share import Z95, wilson

TOP_BOXES = 2
PROMOTERS, DETRACTORS = 9, 6
"""Promoters answer 9 or 10, detractors 0 to 6 (Reichheld 2003)."""
Direction = Literal["up", "down", "no clear change", "too few answers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a figure is made from. ``tops`` are in the two highest boxes; ``squares`` is the sum of squared scores."""

    answers: int
    total: int
    squares: int
    tops: int
    promoters: int
    detractors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure and its interval; None where too few answered, the bounds also where one answer tells no spread."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    mean: float | None = None


def figure(kind: Kind, counts: Counts, minimum: int) -> Figure:
    """The figure of a kind of survey; nothing below ``minimum`` answers."""
    if counts.answers < max(minimum, 1):
        return Figure()
    return {"csat": csat, "nps": nps, "ces": ces}[kind](counts)


def csat(counts: Counts) -> Figure:
    """The share of answers in the two highest boxes of the scale, with its Wilson score interval.

    Top-two-box: Farris, Bendle, Pfeifer, Reibstein (2010), Marketing Metrics, 2nd ed., section 2.7; interval: see
    `sfactl.insight.share.wilson`.
    """
    low, high = wilson(counts.tops, counts.answers)
    return Figure(value=counts.tops / counts.answers, low=low, high=high, mean=_mean(counts))


def nps(counts: Counts) -> Figure:
    """The share of promoters less that of detractors, in points from -100 to 100, with its standard error's interval.

    Reichheld (2003), The One Number You Need to Grow, Harvard Business Review 81(12). Of one answer the score is 1, 0
    or -1, so its variance is p + d - (p - d)²; the interval is normal (Rocks 2016, Interval Estimation for the "Net
    Promoter Score", The American Statistician 70(4), eq. 3, doi:10.1080/00031305.2016.1158124).
    """
    p, d, n = counts.promoters / counts.answers, counts.detractors / counts.answers, counts.answers
    value, variance = p - d, p + d - (p - d) ** 2
    if variance <= 0:  # all answered alike: the formula would claim to be certain
        return Figure(value=100 * value, mean=_mean(counts))
    spread = Z95 * sqrt(variance / n)
    return Figure(
        value=100 * value,
        low=100 * max(value - spread, -1.0),
        high=100 * min(value + spread, 1.0),
        mean=_mean(counts),
    )


def ces(counts: Counts) -> Figure:
    """The mean agreement that it was made easy, with Student's interval of a mean.

    Dixon, Freeman, Toman (2010), Stop Trying to Delight Your Customers, Harvard Business Review 88(7); asked as
    agreement on 1 to 7 since Dixon, Toman, DeLisi (2013), The Effortless Experience, chapter 6.
    """
    n, mean = counts.answers, counts.total / counts.answers
    variance = (counts.squares - counts.total * mean) / (n - 1) if n > 1 else 0.0
    if variance <= 0:
        return Figure(value=mean, mean=mean)
    from scipy.stats import t

    spread = float(t.ppf(0.975, n - 1)) * sqrt(variance / n)
    return Figure(value=mean, low=mean - spread, high=mean + spread, mean=mean)


def change(before: Figure, after: Figure) -> tuple[Figure, Direction]:
    """How a figure moved between two periods, and whether that is more than chance.

    The interval of the difference comes from those of both figures (MOVER: Zou, Donner 2008, Construction of confidence
    limits about effect measures, Statistics in Medicine 27, 1693-1702, eq. 2; for shares that is Newcombe 1998,
    method 10).
    """
    if before.value is None or after.value is None:
        return Figure(), "too few answers"
    moved = after.value - before.value
    if before.low is None or before.high is None or after.low is None or after.high is None:
        return Figure(value=moved), "no clear change"
    low = moved - sqrt((after.value - after.low) ** 2 + (before.high - before.value) ** 2)
    high = moved + sqrt((after.high - after.value) ** 2 + (before.value - before.low) ** 2)
    return Figure(value=moved, low=low, high=high), "up" if low > 0 else "down" if high < 0 else "no clear change"


def _mean(counts: Counts) -> float:
    return counts.total / counts.answers
