"""Print how good a score is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sfactl.cli.tables import table

if TYPE_CHECKING:
    from sfactl.scoring.metrics import Bin, Interval, Metrics


def figures(metrics: Metrics) -> Iterator[str]:
    """The figures of one score in a few lines."""
    yield f"  On {metrics.leads:,} held-out leads, {metrics.won:,} won:"
    yield f"    AUC {within(metrics.auc)} · Brier {metrics.brier.value:.4f} (base rate {metrics.brier_base:.4f})"
    yield (
        f"    lift {within(metrics.lift_10, 1)} in the best 10 %, {within(metrics.lift_20, 1)} in 20 %"
        f" · KS {metrics.ks:.2f} · log loss {metrics.log_loss:.3f} (base rate {metrics.log_loss_base:.3f})"
    )


def within(interval: Interval, digits: int = 3) -> str:
    """A figure with its interval."""
    return f"{interval.value:.{digits}f} ({interval.low:.{digits}f}–{interval.high:.{digits}f})"


def reliable(bins: tuple[Bin, ...]) -> Iterator[str]:
    """The table of predicted and observed shares."""
    rows: list[list[object]] = [
        [b.leads, f"{b.predicted:.1%}", f"{b.observed:.1%}", f"{b.low:.1%}–{b.high:.1%}"] for b in bins
    ]
    yield from table(["leads", "predicted", "won", "95 % interval"], rows)
