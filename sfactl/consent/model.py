"""The terms on which messages about a topic go out, and what is known of one person's word. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sfactl.api.errors import ConfigError
from sfactl.config.touch import Basis, Topic, TouchSettings
from sfactl.engine.periods import parse_period

State = Literal["in", "asked", "out"]
"""What somebody's words come to: yes; a yes that is not confirmed yet; no."""
HASHES = ("md5", "sha1", "sha256")
"""By what a list may name addresses without saying them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the workspace says for all its messages: topics, lawful basis, caps and quiet hours."""

    touch: TouchSettings = field(default_factory=TouchSettings)
    topics: Mapping[str, Topic] = field(default_factory=dict)

    def terms(self, topic: str, *, where: str) -> Terms:
        """On which terms messages about ``topic`` (empty: about none) go. Raises `ConfigError`, naming ``where``."""
        if topic and topic not in self.topics:
            near = difflib.get_close_matches(topic, self.topics, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Topics are tables of sfactl.toml: [topics.{topic}]"
            raise ConfigError(f"{where}: topic: there is no topic {topic!r}. {hint}")
        basis, double = self.touch.terms(self.topics.get(topic))
        within = int(parse_period(self.touch.confirm_within).seconds)
        return Terms(topic=topic, basis=basis, double_opt_in=double, confirm_s=within)


SILENT = House()
"""A workspace that says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The ground on which messages about a topic go. A link that confirms is good for ``confirm_s`` seconds."""

    topic: str = ""
    basis: Basis = "legitimate_interest"
    double_opt_in: bool = False
    confirm_s: int = 7 * 86_400

    @property
    def needs_consent(self) -> bool:
        """Whether silence is a no."""
        return self.basis == "consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one lead stands with one topic, by the newest word that counts; ``may`` says whether marketing may go."""

    topic: str
    title: str
    basis: str
    double_opt_in: bool
    state: Literal["in", "asked", "out", ""]
    since: datetime | None
    by: str
    may: bool
    why: str
