"""What matching answers with: pairs of records, what speaks for and against each, and the plan they make up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldCount:
    """A field that counted, what each of its levels is worth in bits, and whether a household or company shares it."""

    field: str
    levels: Mapping[str, float]
    shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCount:
    """A key by which pairs were found. ``left_out`` counts pairs of values too common to be compared."""

    key: str
    pairs: int
    widest: int
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSample:
    """Two records of a plan, for people to look at."""

    a: int
    b: int
    label_a: str
    label_b: str
    probability: float
    decision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupePlan:
    """Which records are the same: counts of the pairs that are kept under ``plan_id``."""

    plan_id: str
    entity: Entity
    made_at: datetime
    seq: int
    config_hash: str
    matcher: str
    threshold: float
    review: float
    records: int
    compared: int
    merges: int
    reviews: int
    clusters: int
    prior: float
    dry_run: bool
    fields: tuple[FieldCount, ...] = ()
    blocks: tuple[BlockCount, ...] = ()
    samples: tuple[PairSample, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchExplanation:
    """Why two records are held for the same or not. The bits of ``terms`` add up to ``weight`` exactly.

    ``found`` says whether any key brings the two together; where none does, a plan never compares them. ``decided`` is
    what a person said, which goes before everything else. ``plan_id`` is the plan that lists the two: then the weights
    are those that it learned, from the data of its commit.
    """

    entity: Entity
    a: int
    b: int
    label_a: str
    label_b: str
    terms: tuple[Term, ...]
    weight: float
    probability: float
    threshold: float
    review: float
    decision: str
    found: bool
    decided: str | None = None
    plan_id: str | None = None
    as_of_commit: int | None = None
