"""How people name quotes and opportunities: ``Q-12``, ``quote:12`` or ``12``."""

from __future__ import annotations

import re

from sfactl.api.errors import DataError


def quote_number(text: str) -> int:
    """The number of a quote. Raises `DataError`."""
    return _number(text, r"(?:quote:|[Qq]-)?(\d{1,18})", "a quote", "Write it as Q-12 or 12. See: sfactl quote list")


def opportunity_number(text: str) -> int:
    """The number of an opportunity. Raises `DataError`."""
    hint = "Write it as 12 or opportunity:12. See: sfactl opp list"
    return _number(text, r"(?:opportunity:|opp:)?(\d{1,18})", "an opportunity", hint)


def _number(text: str, pattern: str, what: str, hint: str) -> int:
    match = re.fullmatch(pattern, text.strip())
    if match is None:
        raise DataError(f"{text!r} is not {what}", hint=hint)
    return int(match[1])
