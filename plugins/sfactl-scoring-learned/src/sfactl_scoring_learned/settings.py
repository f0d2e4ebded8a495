"""The keys of ``[settings]`` in a score file with ``strategy = "learned"``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedSettings:
    """How the regression sees the features.

    ``regularisation`` is the weight of the penalty on squared coefficients (0: none). Numbers are cut into ``classes``
    of about equally many leads, or with ``numbers = "linear"`` enter as they are. Texts that fewer than ``rare`` leads
    have, or beyond the ``most_values`` commonest, are taken together. ``calibration`` says how chances are corrected by
    leads that the regression was not fitted to: ``auto`` takes ``isotonic`` where both outcomes have 500 leads or more,
    else ``platt``, and nothing where there are fewer than 25.
    """

    regularisation: float = 1.0
    numbers: Literal["classes", "linear"] = "classes"
    classes: int = 10
    rare: int = 10
    most_values: int = 50
    calibration: Literal["auto", "platt", "isotonic", "none"] = "auto"

    def __post_init__(self) -> None:
        if not 0 <= self.regularisation < float("inf"):
            raise ValueError("regularisation must not be below 0")
        if not 2 <= self.classes <= 100:
            raise ValueError("classes must be 2 to 100")
        if self.rare < 1 or self.most_values < 1:
            raise ValueError("rare and most_values must be 1 or more")
