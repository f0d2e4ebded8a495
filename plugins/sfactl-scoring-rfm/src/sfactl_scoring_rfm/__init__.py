"""Offers two scoring strategies: recency, frequency and money of a lead's orders, and the same with codes."""

from __future__ import annotations

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import ScoringStrategyOffer


@hookimpl
def sfactl_scoring_strategies() -> Iterator[ScoringStrategyOffer]:
    """Two strategies."""
    yield ScoringStrategyOffer(
        name="rfm",
        summary="Recency, frequency and money of orders, in quantiles",
        target="sfactl_scoring_rfm.strategy:RfmStrategy",
        settings="sfactl_scoring_rfm.settings:RfmSettings",
    )
    yield ScoringStrategyOffer(
        name="rfa",
        summary="Recency, frequency and amount or activity, with a letter code",
        target="sfactl_scoring_rfm.strategy:RfmStrategy",
        settings="sfactl_scoring_rfm.settings:RfaSettings",
    )
