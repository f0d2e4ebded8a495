"""What ``[touch]`` and ``[topics]`` of ``sfactl.toml`` may say: what binds every message, whatever sends it.

It decides the keys and their defaults, and refuses what could be read in two ways: a cap of 0, quiet all day long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sfactl.engine.periods import Period, PeriodError, parse_period

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Basis = Literal["", "consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interest"]
"""The grounds of GDPR, article 6 (1), on which somebody may be written to; empty: the workspace's."""

_FEEDBACK_ID = re.compile(r"[A-Za-z0-9_-]{5,15}")
_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


def minutes_of(hours: str) -> tuple[int, int]:
    """``09:00-18:00`` as minutes of the day. Raises ValueError."""
    match = _HOURS.fullmatch(hours)
    if not match:
        raise ValueError(f"hours: {hours!r} is not like 09:00-18:00")
    h1, m1, h2, m2 = map(int, match.groups())
    if (h1 == 24 and m1) or (h2 == 24 and m2):
        raise ValueError(f"hours: {hours!r} goes past 24:00")
    return h1 * 60 + m1, h2 * 60 + m2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most so many marketing messages to one person within the time, over all campaigns and strategies at once.

    ``channel`` limits it to the messages of one channel; ``any`` counts them all together. What is ``over`` waits until
    there is room, or is skipped.
    """

    messages: int
    within: str
    channel: str = "any"
    over: Literal["wait", "skip"] = "wait"

    def __post_init__(self) -> None:
        """Refuse a cap that could mean no cap or no message, and a time that cannot be read."""
        if self.messages < 1:
            raise ValueError(
                f"messages: {self.messages} could mean no cap or no message. For no cap leave this table out; "
                "to stop everything: sfactl touch stop"
            )
        _period("within", self.within)

    @property
    def period(self) -> Period:
        """How far back messages count."""
        return parse_period(self.within)

    def __str__(self) -> str:
        """``2 in 7 days``, ``1 sms in 1 day``."""
        return f"{self.messages}{'' if self.channel == 'any' else f' {self.channel}'} in {self.within}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """When no marketing message leaves: ``hours`` such as ``21:00-08:00``, over midnight too, and whole ``days``.

    Without either it is never quiet. ``tz`` is ``contact``, ``workspace`` or an IANA zone; without ``channels`` it
    holds for all.
    """

    hours: str = ""
    days: tuple[Day, ...] = ()
    tz: str = "contact"
    channels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse quiet that never begins, or never ends."""
        if set(self.days) == set(DAYS):
            raise ValueError("days: quiet on all days is no quiet but an end; to stop everything: sfactl touch stop")
        if self.hours:
            start, end = self.minutes
            if start == end or (start, end) == (0, 24 * 60):
                raise ValueError(f"hours: {self.hours!r} is all day long; to stop everything: sfactl touch stop")

    @property
    def is_set(self) -> bool:
        """Whether it is ever quiet."""
        return bool(self.hours or self.days)

    @property
    def minutes(self) -> tuple[int, int]:
        """Begin and end in minutes of the local day; the end may lie before the begin, on the next day."""
        return minutes_of(self.hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What messages can be about, and people can leave alone: ``[topics.NAME]``.

    ``titles`` are the title in other languages. With ``basis = "consent"`` those get it who said so; with any other
    those who did not object. ``double_opt_in`` asks who subscribes to confirm it by a link in a mail.
    """

    title: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""
    basis: Basis = ""
    double_opt_in: bool | None = None

    def __post_init__(self) -> None:
        """Refuse to confirm what needs no consent."""
        if self.double_opt_in and self.basis not in ("", "consent"):
            raise ValueError(
                f'double_opt_in: it confirms a consent, but basis is {self.basis!r}; write basis = "consent"'
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchSettings:
    """What binds every marketing message of every campaign and strategy.

    ``basis`` and ``double_opt_in`` are for topics that say nothing, and for messages about no topic. The link that
    confirms a subscription is good for ``confirm_within``. With ``feedback_id``, a name of ours of 5 to 15 letters and
    digits, e-mails carry the header by which Gmail counts complaints by campaign.
    """

    basis: Basis = ""
    double_opt_in: bool = False
    confirm_within: str = "7 days"
    feedback_id: str = ""
    caps: tuple[Cap, ...] = ()
    quiet: Quiet = field(default_factory=Quiet)

    def __post_init__(self) -> None:
        """Refuse what contradicts itself or is no time."""
        if self.double_opt_in and self.basis not in ("", "consent"):
            raise ValueError(
                f'double_opt_in: it confirms a consent, but basis is {self.basis!r}; write basis = "consent"'
            )
        _ = _period("confirm_within", self.confirm_within).fixed_days
        if self.feedback_id and not _FEEDBACK_ID.fullmatch(self.feedback_id):
            raise ValueError(f"feedback_id: {self.feedback_id!r} is not a name of 5 to 15 letters, digits, - and _")

    def terms(self, topic: Topic | None) -> tuple[Basis, bool]:
        """On which ground messages about ``topic`` (None: about none) are sent, and whether consent is confirmed."""
        own = topic or Topic()
        double = self.double_opt_in if own.double_opt_in is None else own.double_opt_in
        basis = own.basis or ("consent" if own.double_opt_in else self.basis) or ("consent" if double else "")
        basis = basis or "legitimate_interest"
        return basis, double and basis == "consent"


def _period(name: str, text: str) -> Period:
    try:
        period = parse_period(text)
    except PeriodError as err:
        raise ValueError(f"{name}: {err.message}") from None
    if not period.months and not period.seconds:
        raise ValueError(f"{name}: {text!r} is no time at all")
    return period
