"""Where the marks of a chart go: places in percent across and in pixels down, so that text keeps its size. Pure."""

from __future__ import annotations

from calendar import month_abbr
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

from sfactl.insight.model import Funnel
from sfactl.insight.share import Share

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
    year: str
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


AXIS = 8
"""Room for the numbers of the axis, in percent of the width."""

SHOWN = ("lead", "opportunity", "order")
"""The stages that stand inside each other in a month's column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgedCell:
    """How many of a cohort had come to the outcome by an age; ``depth`` is its shade, from 0 to 1."""

    days: int
    converted: int
    rate: float
    depth: float
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AgedCohort:
    """One line of the triangle; a cell is None where no lead is that old."""

    part: str
    leads: int
    ever: int
    cells: tuple[AgedCell | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Triangle:
    """The last cohorts and their ages, in days."""

    days: tuple[int, ...]
    cohorts: tuple[AgedCohort, ...]


SPAN = 12
"""Cohorts and ages that a triangle shows at most."""


def triangle(rows: Sequence[Mapping[str, Any]], by: str) -> Triangle:
    """The table of a cohort report as lines of cells, shaded by the greatest rate in it."""
    parts = list(dict.fromkeys(row[by] for row in rows))[-SPAN:]
    days = sorted({row["days"] for row in rows if row[by] in parts})[:SPAN]
    shown = {(row[by], row["days"]): row for row in rows}
    top = max((row["rate"] or 0 for row in rows), default=0) or 1
    lines = []
    for part in parts:
        found = [shown.get((part, d)) for d in days]
        first = next(row for row in found if row)
        cells = tuple(
            AgedCell(
                days=row["days"],
                converted=row["converted"],
                rate=row["rate"] or 0,
                depth=round((row["rate"] or 0) / top, 3),
                complete=row["complete"],
            )
            if row
            else None
            for row in found
        )
        lines.append(AgedCohort(part=part, leads=first["leads"], ever=first["ever"], cells=cells))
    return Triangle(days=tuple(days), cohorts=tuple(lines))


def columns(funnels: Sequence[Funnel]) -> Columns:
    """Months side by side; in each the stages `SHOWN` stand inside one another, as each is a part of the last."""
    months = [f for f in funnels if f.part]
    top = ceiling(max((f.stages[0].leads for f in months), default=0))
    pitch = (100 - AXIS) / max(1, len(months))
    shown = []
    for i, funnel in enumerate(months):
        leads = {s.stage: s.leads for s in funnel.stages}
        bars = tuple(
            Bar(
                stage=stage,
                leads=leads[stage],
                x=AXIS + i * pitch + pitch * 0.14,
                width=pitch * 0.72,
                y=HEIGHT - HEIGHT * leads[stage] / top,
                height=HEIGHT * leads[stage] / top,
            )
            for stage in SHOWN
        )
        shown.append(
            Column(
                part=funnel.part,
                label=month_abbr[int(funnel.part[5:])],
                year=_year(funnel.part, first=i == 0),
                middle=AXIS + (i + 0.5) * pitch,
                bars=bars,
            )
        )
    parts = next((n for n in (4, 5, 3, 2) if top % n == 0), 1)
    step = top / parts
    lines = tuple((round(step * k), HEIGHT - HEIGHT * step * k / top) for k in range(1, parts + 1))
    return Columns(months=tuple(shown), lines=lines, height=HEIGHT)


def _year(month: str, *, first: bool) -> str:
    """The year, said with the first month and with January."""
    return month[:4] if first or month.endswith("-01") else ""


def ceiling(value: float) -> float:
    """The least of the round numbers (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6 or 8 tens) not below ``value``; 1 for nothing."""
    if value <= 0:
        return 1
    power = 10.0 ** floor(log10(value))
    for factor in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8):
        if value <= factor * power * (1 + 1e-9):
            return round(factor * power, 9)
    return 10 * power


def whiskers(share: Share, top: float) -> Whiskers:
    """Where the interval of ``share`` lies on a track that ends at the rate ``top``."""
    low, high = (min(1.0, bound / top) * 100 for bound in (share.low, share.high))
    dot = min(1.0, (share.rate or 0) / top) * 100
    return Whiskers(low=round(low, 2), width=round(high - low, 2), dot=round(dot, 2))
