"""Offers a scoring strategy: recency, frequency and money of a lead's orders."""

from __future__ import annotations

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import ScoringStrategyOffer


@hookimpl
def sfactl_scoring_strategies() -> Iterator[ScoringStrategyOffer]:
    """One strategy."""
    yield ScoringStrategyOffer(
        name="rfm",
        summary="Recency, frequency and money of orders, in quantiles",
        target="sfactl_scoring_rfm.strategy:RfmStrategy",
        settings="sfactl_scoring_rfm.settings:RfmSettings",
    )
