"""Where the marks of a chart go: places in percent across and in pixels down, so that text keeps its size. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from sfactl.insight.model import Funnel, Share

HEIGHT = 168
"""Height of a column chart in pixels, without its labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of a column chart, with what it stands for."""

    stage: str
    leads: int
    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The bars of one month and the label below them."""

    part: str
    label: str
    middle: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A column chart: its months and the lines behind them (value, pixels from the top)."""

    months: tuple[Column, ...]
    lines: tuple[tuple[int, float], ...]
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Whiskers:
    """A rate and its interval on a track, in percent of the track's width."""

    low: float
    width: float
    dot: float


SHOWN = ("lead", "opportunity", "order")
"""The stages that stand inside each other in a month's column."""


def columns(funnels: Sequence[Funnel]) -> Columns:
    """Months side by side; in each the stages `SHOWN` stand inside one another, as each is a part of the last."""
    months = [f for f in funnels if f.part]
    top = ceiling(max((f.stages[0].leads for f in months), default=0))
    pitch = 100 / max(1, len(months))
    shown = []
    for i, funnel in enumerate(months):
        leads = {s.stage: s.leads for s in funnel.stages}
        bars = tuple(
            Bar(
                stage=stage,
                leads=leads[stage],
                x=i * pitch + pitch * 0.14,
                width=pitch * 0.72,
                y=HEIGHT - HEIGHT * leads[stage] / top,
                height=HEIGHT * leads[stage] / top,
            )
            for stage in SHOWN
        )
        shown.append(Column(part=funnel.part, label=funnel.part[5:], middle=(i + 0.5) * pitch, bars=bars))
    step = top / 4 if top % 4 == 0 else top / 2 if top % 2 == 0 else top
    lines = tuple((int(step * k), HEIGHT - HEIGHT * step * k / top) for k in range(1, int(top / step) + 1))
    return Columns(months=tuple(shown), lines=lines, height=HEIGHT)


def ceiling(value: float) -> float:
    """The least of 1, 2, 4, 5 or 8 times a power of ten that is not below ``value``; 1 for nothing."""
    if value <= 0:
        return 1
    power = 10.0 ** floor(log10(value))
    for factor in (1, 2, 4, 5, 8, 10):
        if value <= factor * power * (1 + 1e-9):
            return factor * power
    return 10 * power


def whiskers(share: Share, top: float) -> Whiskers:
    """Where the interval of ``share`` lies on a track that ends at the rate ``top``."""
    low, high = (min(1.0, bound / top) * 100 for bound in (share.low, share.high))
    dot = min(1.0, (share.rate or 0) / top) * 100
    return Whiskers(low=round(low, 2), width=round(high - low, 2), dot=round(dot, 2))


def widest(shares: Iterable[Share]) -> float:
    """The end of a track on which all of ``shares`` fit, to the next five percent."""
    return min(1.0, ceil(max((s.high for s in shares if s.of), default=0.05) * 20) / 20)
