"""What ``pool.toml`` may say: how many leads a rep may hold, for how long, and what keeps others away from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sfactl.config.objects import read_object
from sfactl.engine.periods import Period, PeriodError, parse_period

FILE = "pool.toml"

Key = Literal["company", "tax_id", "phone", "email"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoolDown:
    """How long the rep who lost a lead may not claim it again; ``where`` says which leads (empty: all others)."""

    wait: str
    where: str = ""

    def __post_init__(self) -> None:
        _period("wait", self.wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision:
    """Which keys make two leads the same customer, and what happens to rows of a file that would make such a lead."""

    keys: tuple[Key, ...] = ("company", "tax_id", "phone", "email")
    imports: Literal["refuse", "allow"] = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRules:
    """``pool.toml``.

    ``holding_cap`` is the most protected leads a rep may hold. ``protection`` is how long nobody else may take a lead.
    A lead goes back after ``idle`` without a follow-up, and at the ``deadline`` since it was given unless it was
    converted. In the pool it falls asleep after ``sleep``. The first of ``cool_downs`` that is about a lead counts.
    """

    holding_cap: int | None = None
    protection: str = ""
    idle: str = ""
    deadline: str = ""
    sleep: str = ""
    cool_downs: tuple[CoolDown, ...] = ()
    collision: Collision = field(default_factory=Collision)

    def __post_init__(self) -> None:
        if self.holding_cap is not None and self.holding_cap < 0:
            raise ValueError(f"holding_cap: {self.holding_cap} is less than nothing")
        for name in ("protection", "idle", "deadline", "sleep"):
            if getattr(self, name):
                _period(name, getattr(self, name))

    def period(self, name: Literal["protection", "idle", "deadline", "sleep"]) -> Period | None:
        """One of the lengths of time; None where it is not set."""
        text: str = getattr(self, name)
        return parse_period(text) if text else None


def read_pool(workspace: Path) -> PoolRules | None:
    """The rules of the pool; None where the workspace has no file. Raises `ConfigError` naming file and key."""
    path = workspace / FILE
    return read_object(PoolRules, path) if path.exists() else None


def _period(name: str, text: str) -> None:
    try:
        period = parse_period(text)
    except PeriodError as err:
        raise ValueError(f"{name}: {err.message}") from None
    if not period.months and not period.seconds:
        raise ValueError(f"{name}: {text!r} is no time at all")
