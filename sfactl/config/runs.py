"""What ``[run]`` of ``sfactl.toml`` may say: when which job is due, and what happens to what was missed.

It decides the keys and their defaults, and refuses schedules and spans of time that cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sfactl.engine.periods import parse_period

Misfire = Literal["once", "skip", "each"]
"""What becomes of slots that passed by more than the grace: one late run for all, none, or one run for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """One job. What is left out is as ``[run]`` says; ``needs`` left out is what a job of this kind builds on.

    Where a job fails, those that build on it are left out, unless it is not ``required``.
    ``minutes_per_run`` and ``minutes_per_item`` are what a person would need to do by hand what the job does.
    """

    schedule: str = ""
    active: bool = True
    misfire: Misfire | None = None
    grace: str = ""
    calendar: str = ""
    attempts: int | None = None
    needs: tuple[str, ...] | None = None
    required: bool = True
    minutes_per_run: float = 0.0
    minutes_per_item: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.schedule:
            from sfactl.engine.schedules import parse_schedule

            _told("schedule", parse_schedule, self.schedule)
        if self.grace:
            _told("grace", parse_period, self.grace)
        if self.attempts is not None and self.attempts < 1:
            raise ValueError(f"attempts: {self.attempts} is less than 1")
        for name in ("minutes_per_run", "minutes_per_item"):
            if not 0 <= getattr(self, name) <= 10_000:
                raise ValueError(f"{name}: {getattr(self, name):g} is not a number of minutes from 0 to 10,000")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What ``sfactl run --due`` goes by.

    ``grace``: how long after its slot a run still counts as on time. ``attempts``: how often a slot whose job fails is
    tried. ``stuck_after``: a runner whose one job takes longer is held for stuck; ``takeover_after``: so is one that
    gave no sign of life for so long. Another runner then takes over.
    """

    misfire: Misfire = "once"
    grace: str = "1 hour"
    attempts: int = 3
    stuck_after: str = "6 hours"
    takeover_after: str = "5 minutes"
    jobs: Mapping[str, JobSettings] = field(default_factory=dict)
    sources: Mapping[str, JobSettings] = field(default_factory=dict)
    strategies: Mapping[str, JobSettings] = field(default_factory=dict)
    campaigns: Mapping[str, JobSettings] = field(default_factory=dict)
    mailboxes: Mapping[str, JobSettings] = field(default_factory=dict)
    erp: Mapping[str, JobSettings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        _told("grace", parse_period, self.grace)
        if self.attempts < 1:
            raise ValueError(f"attempts: {self.attempts} is less than 1")
        for name in ("stuck_after", "takeover_after"):
            period = parse_period(getattr(self, name))
            if period.months or not period.seconds:
                raise ValueError(f"{name}: {getattr(self, name)!r} is not a length of time such as 5 minutes")


def _told(key: str, read: Callable[[str], object], text: str) -> None:
    try:
        read(text)
    except ValueError as err:
        raise ValueError(f"{key}: {err}") from None
