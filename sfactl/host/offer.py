"""Say what is wrong with an offer as it was answered, before anything it names is imported."""

from __future__ import annotations

import re
from typing import Any

from sfactl.api.offers import OFFER_TYPES, CommandOffer

NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def problems_of(offer: Any, kind: str) -> list[str]:
    """What is wrong with ``offer`` as an answer to the hook of ``kind``; empty where nothing is."""
    expected = OFFER_TYPES[kind]
    if type(offer) is not expected:
        return [f"it is a {type(offer).__name__}, not a {expected.__name__}"]
    problems = []
    if not _is_text(offer.name) or not NAME.fullmatch(offer.name):
        problems.append(f"name {offer.name!r} is not made of lower-case letters, digits, - and _")
    if not _is_text(offer.summary) or not offer.summary.strip():
        problems.append("summary is empty")
    if not _is_text(offer.target) or not TARGET.fullmatch(offer.target):
        problems.append(f"target {offer.target!r} is not written package.module:Class")
    if offer.settings is not None and not (_is_text(offer.settings) and TARGET.fullmatch(offer.settings)):
        problems.append(f"settings {offer.settings!r} is not written package.module:Dataclass")
    for what in ("hosts", "secrets"):
        value = getattr(offer, what)
        if not isinstance(value, tuple) or not all(isinstance(item, str) and item for item in value):
            problems.append(f"{what} {value!r} is not a tuple of texts")
    capabilities: Any = offer.capabilities
    if not isinstance(capabilities, frozenset):
        problems.append(f"capabilities {capabilities!r} is not a frozenset")
    if isinstance(offer, CommandOffer) and offer.settings is not None:
        problems.append("a command takes no settings")
    return problems


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
