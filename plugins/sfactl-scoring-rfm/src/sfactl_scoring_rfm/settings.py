"""The keys of ``[settings]`` in a score file with ``strategy = "rfm"`` or ``strategy = "rfa"``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from sfactl.api.rfm import Cuts, Letters, Ranking

__all__ = ["Cuts", "Letters", "RfaSettings", "RfmSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RfmSettings(Ranking):
    """How customers are ranked, and ``recency``, ``frequency`` and ``money``, the most points each axis can give."""

    recency: float = 40.0
    frequency: float = 30.0
    money: float = 30.0

    def __post_init__(self) -> None:
        Ranking.__post_init__(self)
        if min(self.recency, self.frequency, self.money) < 0 or self.recency + self.frequency + self.money == 0:
            raise ValueError("recency, frequency and money must not be below 0, and not all 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class RfaSettings(RfmSettings):
    """The same with codes: A is the best class of each axis unless ``letters`` say otherwise; money is an amount."""

    CODED: ClassVar[bool] = True

    third: Literal["money", "amount", "activity"] = "amount"
