"""What is asked when chances to sell more are looked for, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["cross", "up"]
MOST_PRODUCTS = 2_000
MOST_PAIRS = 20_000
MOST_RULES = 20_000
MOST_WORK = 400_000_000
"""Pairs and sets in baskets that are counted; where there are more, a fixed sample of the baskets is."""
LARGEST_BASKET = 300
"""Whoever has more different frequent products has nearly everything: what goes with what is not to be learned there,
and pairs grow with the square. They count in no figure, and get suggestions like everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rules count. Shares are of baskets: of customers, or of orders with ``basket`` "order".

    ``min_count`` is the fewest baskets that a rule may stand on, whatever their share. ``min_step`` is how much dearer
    the next product must be, as a share, ``sets`` how many products may be the reason together, ``top`` how many
    suggestions a customer gets at most.
    """

    kind: Kind
    basket: Literal["customer", "order"] = "customer"
    min_support: float = 0.01
    min_confidence: float = 0.2
    min_lift: float = 1.2
    min_count: int = 3
    min_step: float = 0.05
    sets: Literal[1, 2] = 2
    top: int = 3

    def __post_init__(self) -> None:
        for name in ("min_support", "min_confidence"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name.replace('_', '-')}: {getattr(self, name)} is not between 0 and 1")
        if self.min_step < 0:
            raise ValueError(f"min-step: {self.min_step} is below 0")
        if self.min_lift < 0 or self.min_count < 1 or self.top < 1:
            raise ValueError("min-lift must not be below 0, min-count and top not below 1")

    def least(self, baskets: int) -> int:
        """The fewest baskets of ``baskets`` that a rule may stand on."""
        # A share such as 0.07 of 100 is 7.000000000000001 as a double.
        return max(self.min_count, ceil(round(self.min_support * baskets, 9)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """The suggestions and what they stand on. ``rows`` are theirs, or the rules' where rules were asked for."""

    kind: Kind
    at: datetime
    customers: int
    baskets: int
    least: int
    rules: int
    suggestions: int
    reached: int
    rows: pa.Table
    left_out: Mapping[str, int] = field(default_factory=dict)
    stored: bool = True
    dry_run: bool = False
    commit: int | None = None
