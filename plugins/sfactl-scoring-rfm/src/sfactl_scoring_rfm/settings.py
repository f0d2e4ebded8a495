"""The keys of ``[settings]`` in a score file with ``strategy = "rfm"``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RfmSettings:
    """How customers are ranked.

    ``recency``, ``frequency`` and ``money`` are the most points each can give. ``quantiles`` is the number of classes,
    ``days`` how far back orders count (0: all), ``leave_out`` the states of orders that do not count.
    """

    recency: float = 40.0
    frequency: float = 30.0
    money: float = 30.0
    quantiles: int = 5
    days: int = 0
    leave_out: tuple[str, ...] = ("cancelled",)

    def __post_init__(self) -> None:
        if not 2 <= self.quantiles <= 100:
            raise ValueError(f"quantiles: {self.quantiles} is not between 2 and 100")
        if self.days < 0:
            raise ValueError(f"days: {self.days} is below 0")
        if min(self.recency, self.frequency, self.money) < 0 or self.recency + self.frequency + self.money == 0:
            raise ValueError("recency, frequency and money must not be below 0, and not all 0")
