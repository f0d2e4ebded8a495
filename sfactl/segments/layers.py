"""Layers as files and as answers: what a layer divides customers by, the classes it names, and who came into which.

A layer puts each customer into one class, or none. Customers are leads with at least one order that counts, or, for a
preference by touchpoints, leads with touchpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal

from sfactl.api.rfm import Ranking
from sfactl.engine.periods import parse_period
from sfactl.segments.layer_names import Kind

PERIODS = ("acquisition", "growth", "maturity", "decline")
OTHER = "other"
"""The class of customers whom no declared class fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRule:
    """A class by name: the lowest and highest class on each axis, both included; an axis left out may be anything."""

    name: str
    recency: tuple[int, ...] = ()
    frequency: tuple[int, ...] = ()
    third: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("a class needs a name")
        for axis in ("recency", "frequency", "third"):
            ends = getattr(self, axis)
            if ends and (len(ends) != 2 or not 1 <= ends[0] <= ends[1]):
                raise ValueError(f"class {self.name!r}: {axis} needs the lowest and the highest class, such as [4, 5]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedRanking(Ranking):
    """RFA: classes have letters, and the third axis is called amount unless it is activity."""

    CODED: ClassVar[bool] = True

    third: Literal["money", "amount", "activity"] = "amount"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleRules:
    """When a customer is in which period of life.

    Decline: P(alive) is below ``alive_below``, or there was no order for longer than ``silent`` where P(alive) says
    nothing (one order only, or too few customers to learn from: ``min_customers``, ``min_repeaters``). Else
    acquisition: the first order is at most ``young`` ago. Else growth: more in the last ``window`` than in the one
    before, by ``measure``. Else maturity. Amounts are those in ``currency``.
    """

    young: str = "90 days"
    window: str = "90 days"
    silent: str = "180 days"
    alive_below: float = 0.5
    measure: Literal["orders", "amount"] = "orders"
    currency: str = ""
    min_customers: int = 100
    min_repeaters: int = 30
    leave_out: tuple[str, ...] = ("cancelled",)

    def __post_init__(self) -> None:
        for name in ("young", "window", "silent"):
            try:
                parse_period(getattr(self, name))
            except ValueError as err:
                raise ValueError(f"{name}: {err}") from None
        if not 0 <= self.alive_below <= 1:
            raise ValueError(f"alive_below: {self.alive_below} is not between 0 and 1")
        if self.measure == "amount" and not self.currency:
            raise ValueError("measure: amounts need a currency")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceRules:
    """What customers prefer: the shares of the values of ``by`` in what they bought, or in what they looked at.

    ``by`` is a text field of products or of order_lines (``source = "orders"``), or of touchpoints. ``measure`` is what
    is shared out. ``half_life`` lets old rows fade. Customers with fewer than ``min_rows`` rows, or whose best share is
    below ``min_share``, have no preference. ``kinds`` limits touchpoints. Amounts are those in ``currency``.
    """

    source: Literal["orders", "touchpoints"] = "orders"
    by: str = "family"
    measure: Literal["rows", "quantity", "amount"] = "rows"
    currency: str = ""
    half_life: str = ""
    days: int = 0
    min_rows: int = 3
    min_share: float = 0.0
    kinds: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ("cancelled",)

    def __post_init__(self) -> None:
        if self.half_life:
            try:
                days = parse_period(self.half_life).fixed_days
            except ValueError as err:
                raise ValueError(f"half_life: {err}") from None
            if days <= 0:
                raise ValueError("half_life: must be longer than 0 days")
        if not 0 <= self.min_share <= 1:
            raise ValueError(f"min_share: {self.min_share} is not between 0 and 1")
        if self.min_rows < 1:
            raise ValueError(f"min_rows: {self.min_rows} is below 1")
        if self.measure == "amount" and not self.currency:
            raise ValueError("measure: amounts need a currency")
        if self.measure != "rows" and self.source == "touchpoints":
            raise ValueError("measure: touchpoints are counted by rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A file ``layers/NAME.toml``. ``settings`` are those of its ``kind``; ``classes`` go with rfm and rfa."""

    name: str
    kind: Kind
    summary: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[ClassRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Parameters that were learned, or why there are none (``method`` "rule"), and the data they come from."""

    method: Literal["bg/nbd", "rule"]
    customers: int
    repeaters: int
    first_at: datetime | None
    last_at: datetime | None
    parameters: Mapping[str, float] = field(default_factory=dict)
    log_likelihood: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSize:
    """One class: how many customers, their share of all, and their means. ``value`` is a mean too."""

    name: str
    customers: int
    share: float
    days: float | None
    orders: float | None
    value: float | None
    joined: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRun:
    """What a layer found, and what was stored. ``commit`` is None where nothing changed or nothing is to be stored."""

    layer: str
    kind: Kind
    at: datetime
    customers: int
    value_name: str
    unit: str
    method: str
    classes: tuple[ClassSize, ...]
    left_out: Mapping[str, int]
    fitted: Fitted | None = None
    stored: bool = True
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One layer in the listing: its customers and the time it was last computed for; None before its first run."""

    layer: str
    kind: Kind
    customers: int | None
    as_of: datetime | None
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One line of an explanation: what was looked at, what it answered, and how that was found."""

    what: str
    answer: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerExplained:
    """Why a customer is in a class. ``stored`` is what the last run decided, ``since`` when they came into it."""

    layer: str
    lead_id: int
    lead: str
    at: datetime
    name: str | None
    reasons: tuple[Reason, ...]
    stored: str | None
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The share of one category for one customer."""

    category: str
    share: Decimal
    rows: int
