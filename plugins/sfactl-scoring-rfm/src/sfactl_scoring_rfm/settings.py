"""The keys of ``[settings]`` in a score file with ``strategy = "rfm"`` or ``strategy = "rfa"``."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from string import ascii_uppercase
from typing import Literal

AXES = ("recency", "frequency", "third")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """Declared borders between classes, ascending: days since the last order, orders, and the third axis.

    A value that equals a border is in the better class. An axis without borders is cut into quantiles.
    """

    recency: tuple[float, ...] = ()
    frequency: tuple[float, ...] = ()
    third: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for axis in AXES:
            borders = getattr(self, axis)
            if any(low >= high for low, high in pairwise(borders)):
                raise ValueError(f"cuts.{axis} must ascend")
            if len(borders) > 25:
                raise ValueError(f"cuts.{axis}: more than 25 borders")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """The sign of each class in the code, the best class first; empty for none."""

    recency: str = ""
    frequency: str = ""
    third: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RfmSettings:
    """How customers are ranked.

    ``recency``, ``frequency`` and ``money`` are the most points each axis can give. ``third`` says what the third axis
    is: money (or amount, which is the same under another name), or activity, the number of touchpoints, of all kinds
    or those in ``activities``. ``quantiles`` is the number of classes where ``cuts`` declares no borders; ``currency``
    is that of the borders of money. ``days`` is how far back orders and touchpoints count (0: all), ``leave_out`` the
    states of orders that do not count.
    """

    recency: float = 40.0
    frequency: float = 30.0
    money: float = 30.0
    third: Literal["money", "amount", "activity"] = "money"
    activities: tuple[str, ...] = ()
    quantiles: int = 5
    cuts: Cuts = field(default_factory=Cuts)
    currency: str = ""
    letters: Letters = field(default_factory=Letters)
    days: int = 0
    leave_out: tuple[str, ...] = ("cancelled",)

    def __post_init__(self) -> None:
        if not 2 <= self.quantiles <= 100:
            raise ValueError(f"quantiles: {self.quantiles} is not between 2 and 100")
        if self.days < 0:
            raise ValueError(f"days: {self.days} is below 0")
        if min(self.recency, self.frequency, self.money) < 0 or self.recency + self.frequency + self.money == 0:
            raise ValueError("recency, frequency and money must not be below 0, and not all 0")
        if self.cuts.third and self.third != "activity" and not self.currency:
            raise ValueError("cuts.third: borders of money need a currency")
        if self.activities and self.third != "activity":
            raise ValueError('activities go with third = "activity"')
        for axis in AXES:
            signs = getattr(self.letters, axis)
            if signs and len(signs) != self.classes(axis):
                raise ValueError(f"letters.{axis}: {len(signs)} letters for {self.classes(axis)} classes")

    def classes(self, axis: str) -> int:
        """How many classes the axis has."""
        borders = getattr(self.cuts, axis)
        return len(borders) + 1 if borders else self.quantiles

    def signs(self, axis: str) -> str:
        """The sign of each class, the worst first; empty where the score has no codes."""
        return str(getattr(self.letters, axis))[::-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class RfaSettings(RfmSettings):
    """The same with codes: A is the best class of each axis unless ``letters`` say otherwise; money is an amount."""

    third: Literal["money", "amount", "activity"] = "amount"

    def __post_init__(self) -> None:
        RfmSettings.__post_init__(self)
        for axis in AXES:
            if self.classes(axis) > len(ascii_uppercase) and not getattr(self.letters, axis):
                raise ValueError(f"letters.{axis}: {self.classes(axis)} classes need letters of their own")

    def signs(self, axis: str) -> str:
        """The sign of each class, the worst first."""
        said = getattr(self.letters, axis) or ascii_uppercase[: self.classes(axis)]
        return str(said)[::-1]
