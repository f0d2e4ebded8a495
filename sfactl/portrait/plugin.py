"""The intent extractor that ships with sfactl."""

from __future__ import annotations

from collections.abc import Iterator

from sfactl.api.hooks import hookimpl
from sfactl.api.offers import IntentExtractorOffer


@hookimpl
def sfactl_intent_extractors() -> Iterator[IntentExtractorOffer]:
    """Words and phrases, offline."""
    yield IntentExtractorOffer(
        name="keyword",
        summary="Words and phrases of intents/, with negation; offline and always the same",
        target="sfactl.portrait.extractors.keyword:KeywordExtractor",
    )
