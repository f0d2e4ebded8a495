"""What matching answers with: pairs of records, what speaks for and against each, and the plan they make up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Entity = Literal["lead", "account", "contact"]

DATASETS: Mapping[Entity, str] = {"lead": "leads", "account": "accounts", "contact": "contacts"}
"""Where the records of each kind are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What one field says about two records: both values, how near they are, and bits for (+) or against (-)."""

    field: str
    value_a: str | None
    value_b: str | None
    level: str
    bits: float
