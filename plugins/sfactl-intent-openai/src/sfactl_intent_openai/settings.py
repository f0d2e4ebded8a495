"""The keys of an extractor file that says ``use = "openai"``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Which model is asked, and where.

    ``url`` is the address below which ``/chat/completions`` lies, ``api_key`` refers to the key. ``parallel`` is how
    many texts are asked about at a time, ``longest_text`` how many characters of one are sent. ``price_input`` and
    ``price_output`` are per million tokens, for the sum that is shown. Say ``json_schema = false`` for a service that
    knows no answers by schema: then JSON is asked for in words, and checked all the same.
    """

    url: str
    model: str
    api_key: str = ""
    parallel: int = 4
    timeout_s: float = 60.0
    longest_text: int = 4000
    max_output_tokens: int = 300
    json_schema: bool = True
    price_input: float = 0.0
    price_output: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url: {self.url!r} does not begin with http:// or https://")
        if not self.model.strip():
            raise ValueError("model: name the model")
        if not 1 <= self.parallel <= 16:
            raise ValueError(f"parallel: {self.parallel} is not between 1 and 16")
        if self.longest_text < 100:
            raise ValueError(f"longest_text: {self.longest_text} is less than 100")
        if self.price_input < 0 or self.price_output < 0:
            raise ValueError("price_input and price_output are not below 0")
