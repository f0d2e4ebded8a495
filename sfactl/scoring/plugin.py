"""The scoring strategies that ship with sfactl."""

from __future__ import annotations

from collections.abc import Iterator

from sfactl.api.hooks import hookimpl
from sfactl.api.offers import ScoringStrategyOffer
from sfactl.scoring.model import RULES


@hookimpl
def sfactl_scoring_strategies() -> Iterator[ScoringStrategyOffer]:
    """Rules written in the score's own file, and frequencies learned from won and lost leads."""
    yield ScoringStrategyOffer(
        name=RULES,
        summary="Rules with points, decay, caps, limits and groups",
        target="sfactl.scoring.strategy:RulesStrategy",
        settings="sfactl.scoring.strategy:RulesSettings",
    )
    yield ScoringStrategyOffer(
        name="frequency",
        summary="Learned: how often leads with the same values were won and lost (naive Bayes)",
        target="sfactl.scoring.frequency:FrequencyStrategy",
        settings="sfactl.scoring.frequency:FrequencySettings",
    )
