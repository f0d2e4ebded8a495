"""What the opportunities slice answers: deals, their history, the pipeline by stage, and win rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field with the value before and after, as text."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DealChanged:
    """One deal that was added, changed, moved or closed. ``from_stage`` is None where it did not move."""

    opportunity_id: int
    name: str
    stage: str
    category: str
    probability: float
    from_stage: str | None = None
    changes: tuple[FieldChange, ...] = ()
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DealsMoved:
    """Deals that were moved in one commit."""

    moved: int
    deals: tuple[DealChanged, ...]
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One change: ``stage`` or another field, old and new, who and why. ``days`` is how long a stage lasted."""

    at: datetime
    field: str
    old: str | None
    new: str | None
    actor: str | None
    cause: str | None
    days: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """Everything about one deal."""

    opportunity_id: int
    fields: Mapping[str, Any]
    account: str | None
    contact: str | None
    next_stages: tuple[str, ...]
    missing: Mapping[str, tuple[str, ...]]
    history: tuple[HistoryRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTotal:
    """One stage in one currency; ``weighted`` is the sum of each amount times its own probability.

    ``probability`` is the stage's, which a deal has unless it was given one of its own.
    """

    pipeline: str
    stage: str
    category: str
    probability: float
    currency: str
    deals: int
    without_amount: int
    amount: Decimal
    weighted: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineTotals:
    """The active pipeline by stage; sums are by currency because currencies are not added up."""

    as_of: str
    stages: tuple[StageTotal, ...]
    deals: int
    amount: Mapping[str, Decimal]
    weighted: Mapping[str, Decimal]
    disqualified: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One deal on the board."""

    opportunity_id: int
    name: str
    amount: Decimal | None
    currency: str | None
    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardColumn:
    """One stage of the board: how many deals, their amounts by currency, and the biggest as cards."""

    stage: str
    category: str
    deals: int
    amount: Mapping[str, Decimal]
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One pipeline as columns; they add up to what `opp list` lists."""

    pipeline: str
    columns: tuple[BoardColumn, ...]
    deals: int
    amount: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share with its Wilson 95 % interval; all None for 0 of 0."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WinRate:
    """Won deals of one group against all deals and against the closed ones."""

    group: str | None
    scope: str
    deals: int
    won: int
    lost: int
    open: int
    of_all: Rate
    of_closed: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class WinRates:
    """Win rates by one property. ``scope`` of a row is ``all`` deals, or ``qualified``: without those filtered out."""

    by: str | None
    denominator: str
    rows: tuple[WinRate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRule:
    """A rule that takes open deals out of the active pipeline."""

    name: str
    where: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRules:
    """A file of such rules; the first that holds gives the reason."""

    rules: tuple[FilterRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    """Deals taken out of the active pipeline by rule, and the win rate before and after."""

    filtered: int
    by_rule: Mapping[str, int]
    before: WinRate
    after: WinRate
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One account or contact with what hangs on it."""

    fields: Mapping[str, Any]
    related: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
