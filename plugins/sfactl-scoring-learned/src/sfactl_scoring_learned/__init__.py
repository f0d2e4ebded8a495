"""Offers a scoring strategy that learns: calibrated logistic regression."""

from __future__ import annotations

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import ScoringStrategyOffer


@hookimpl
def sfactl_scoring_strategies() -> Iterator[ScoringStrategyOffer]:
    """One strategy."""
    yield ScoringStrategyOffer(
        name="learned",
        summary="Learned: calibrated logistic regression over won and lost leads",
        target="sfactl_scoring_learned.strategy:LearnedStrategy",
        settings="sfactl_scoring_learned.settings:LearnedSettings",
    )
