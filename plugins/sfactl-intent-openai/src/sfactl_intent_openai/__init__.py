"""Offer one intent extractor: a language model behind the chat-completions protocol."""

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import IntentExtractorOffer

SFACTL_API = "1.0"


@hookimpl
def sfactl_intent_extractors() -> Iterator[IntentExtractorOffer]:
    """The extractor ``openai``."""
    yield IntentExtractorOffer(
        name="openai",
        summary="A language model behind the OpenAI chat-completions protocol, at temperature 0",
        target="sfactl_intent_openai.extractor:OpenAiExtractor",
        settings="sfactl_intent_openai.settings:Settings",
        hosts=("setting:url",),
        secrets=("api_key",),
    )
