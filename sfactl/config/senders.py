"""What ``senders/NAME.toml`` says beside the settings of its plugin: how fast and how far the sender may be used.

It decides the keys and their defaults, and refuses paces that cannot be kept.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sfactl.config.objects import build
from sfactl.engine.periods import parse_period

MOST_CONNECTIONS = 64
_RATE = re.compile(r"\s*([\d_]+)\s*/\s*(\d+\s*)?([A-Za-z]+)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most ``most`` in any stretch of ``seconds``. ``text`` is as it was written."""

    most: int
    seconds: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainPace:
    """Domains of one receiver that share a rate, in place of ``per_domain``."""

    names: tuple[str, ...]
    rate: str

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not self.names or not all(re.fullmatch(r"[^\s@/]+\.[^\s@/]+", name) for name in self.names):
            raise ValueError(f"names: {list(self.names)} are not domains, for instance gmail.com")
        _read("rate", self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """A new sender begins with ``start`` messages a day, and may double what it sent every ``double_every``.

    Once it may send ``until`` a day it is warm, and nothing is limited any more.
    """

    start: int = 50
    double_every: str = "1 day"
    until: int = 10_000

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not 1 <= self.start <= self.until:
            raise ValueError(f"start: {self.start} is not a number from 1 to until = {self.until}")
        if not self.days >= 1:
            raise ValueError(f"double_every: {self.double_every!r} is not a number of whole days")

    @property
    def days(self) -> int:
        """Days from one doubling to the next."""
        try:
            days = parse_period(self.double_every).fixed_days
        except ValueError:
            return 0
        return int(days) if days == int(days) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """When a campaign stops by itself: more than so many percent of its marketing messages came back or annoyed.

    Counted are the messages of one campaign through this sender within ``within``, once there are ``after`` of them.
    The limits are those that Google states for senders of bulk mail.
    """

    bounces: float = 5.0
    complaints: float = 0.1
    after: int = 500
    within: str = "7 days"

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        for name in ("bounces", "complaints"):
            if not 0 < getattr(self, name) <= 100:
                raise ValueError(
                    f"{name}: {getattr(self, name):g} is not a percentage above 0, up to 100 (which is never)"
                )
        if self.after < 1:
            raise ValueError(f"after: {self.after} is less than 1")
        if parse_period(self.within).fixed_days <= 0:
            raise ValueError(f"within: {self.within!r} is no time")


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderPace:
    """How fast and how far a sender may be used. ``connections`` are open at once, with up to 20 messages each.

    ``rate`` holds for all of it, ``per_domain`` for each domain of recipients, ``domains`` for the ones named there.
    A run waits for a place for ``longest_wait``, then leaves the rest to a later one. A message that is put off
    ``attempts`` times for its own sake is dead until somebody lets it be tried again.
    """

    connections: int = 1
    rate: str = ""
    per_domain: str = ""
    domains: tuple[DomainPace, ...] = ()
    warm_up: WarmUp | None = None
    longest_wait: str = "5 minutes"
    attempts: int = 12
    stop: StopRule = dataclasses.field(default_factory=StopRule)

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not 1 <= self.connections <= MOST_CONNECTIONS:
            raise ValueError(f"connections: {self.connections} is not a number from 1 to {MOST_CONNECTIONS}")
        if self.attempts < 1:
            raise ValueError(f"attempts: {self.attempts} is less than 1")
        for key in ("rate", "per_domain"):
            _read(key, getattr(self, key))
        if parse_period(self.longest_wait).months:
            raise ValueError(f"longest_wait: {self.longest_wait!r} has no fixed length")
        named = [name.lower() for domain in self.domains for name in domain.names]
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"domains: {', '.join(twice)} named twice")

    @property
    def limited(self) -> bool:
        """Whether anything at all is limited."""
        return bool(self.rate or self.per_domain or self.domains or self.warm_up)


PACE_KEYS = frozenset(f.name for f in dataclasses.fields(SenderPace))
"""Keys of a sender's file that are the core's and never reach its plugin."""


def sender_pace(table: Mapping[str, Any], *, where: str) -> SenderPace:
    """The pace in a sender's file, which ``where`` names. Raises `ConfigError`."""
    return build(SenderPace, {k: v for k, v in table.items() if k in PACE_KEYS}, where=where)


def parse_rates(text: str) -> tuple[Rate, ...]:
    """Read ``20/second``, ``5/10 seconds`` or several with commas between; nothing is no limit. Raises `ValueError`."""
    return tuple(_rate(part, text) for part in text.split(",")) if text.strip() else ()


def _rate(part: str, text: str) -> Rate:
    match = _RATE.fullmatch(part)
    most = int(match[1].replace("_", "") or 0) if match else 0
    period = parse_period(f"{match[2] or 1} {match[3]}") if match else None
    if period is None or most < 1 or period.months or not period.seconds:
        raise ValueError(f"{text!r} is not a rate. Write a number and a time: '20/second', '1000/hour', '5/10 seconds'")
    return Rate(most=most, seconds=period.seconds, text=part.strip())


def _read(key: str, text: str) -> None:
    try:
        parse_rates(text)
    except ValueError as err:
        raise ValueError(f"{key}: {err}") from None
