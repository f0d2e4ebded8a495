"""The scoring strategies that ship with sfactl."""

from __future__ import annotations

from collections.abc import Iterator

from sfactl.api.hooks import hookimpl
from sfactl.api.offers import ScoringStrategyOffer
from sfactl.scoring.model import RULES


@hookimpl
def sfactl_scoring_strategies() -> Iterator[ScoringStrategyOffer]:
    """Rules written in the score's own file."""
    yield ScoringStrategyOffer(
        name=RULES,
        summary="Rules with points, decay, caps, limits and groups",
        target="sfactl.scoring.strategy:RulesStrategy",
        settings="sfactl.scoring.strategy:RulesSettings",
    )
