"""What quotes are made of: products, price books, requested lines, and the steps of a price."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from sfactl.approvals.model import Need

if TYPE_CHECKING:
    import pyarrow as pa

MONEY_STEP = Decimal("0.0001")
"""The finest amount that datasets hold: decimal(18,4)."""

MONEY_LIMIT = Decimal(10) ** 14

Mode = Literal["volume", "graduated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something we sell, as a quote needs it."""

    sku: str
    name: str
    family: str = ""
    unit: str = ""
    active: bool = True
    cost: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """The price per unit of ``sku``, from the unit numbered ``from_quantity`` on.

    ``volume``: all units cost what the quantity's tier says. ``graduated``: each unit costs what its own tier says.
    """

    sku: str
    price: Decimal
    from_quantity: Decimal = Decimal(1)
    mode: Mode = "volume"
    valid_from: date | None = None
    valid_to: date | None = None

    def __post_init__(self) -> None:
        if self.price < 0:
            raise ValueError(f"price {self.price} of {self.sku} is below zero")
        if self.price != self.price.quantize(MONEY_STEP):
            raise ValueError(f"price {self.price} of {self.sku} has more than four decimals")
        if self.from_quantity <= 0:
            raise ValueError(f"from_quantity {self.from_quantity} of {self.sku} must be above zero")
        check_period(self.valid_from, self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A percentage off for a time. Of those that do not ``stack`` only the largest counts; the others follow it."""

    name: str
    percent: Decimal
    valid_from: date | None = None
    valid_to: date | None = None
    skus: tuple[str, ...] = ()
    family: str = ""
    stack: bool = False

    def __post_init__(self) -> None:
        check_percent(self.percent, f"promotion {self.name}")
        check_period(self.valid_from, self.valid_to)

    def covers(self, product: Product) -> bool:
        """Whether it is meant for ``product``; without skus and family it is meant for all."""
        if self.skus or self.family:
            return product.sku in self.skus or (bool(self.family) and product.family == self.family)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """Prices of one currency for a time and a scope, read from ``prices/NAME.toml``.

    ``country`` and ``tier`` limit it to accounts of those countries and tiers. A book with a ``base`` takes the list
    price from there and changes it by its own rows or else by ``percent`` off. ``layers`` names the plugin layers that
    may change its prices, with their settings: an installed plugin alone never changes a price.
    """

    name: str
    currency: str
    valid_from: date | None = None
    valid_to: date | None = None
    country: tuple[str, ...] = ()
    tier: tuple[str, ...] = ()
    base: str = ""
    percent: Decimal = Decimal(0)
    prices: tuple[PriceRow, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    layers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.currency) != 3 or not self.currency.isalpha() or not self.currency.isupper():
            raise ValueError(f"currency {self.currency!r} is not an ISO 4217 code such as EUR")
        if self.percent and not self.base:
            raise ValueError("percent needs a base book to take it from")
        check_percent(self.percent, "percent")
        check_period(self.valid_from, self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRequest:
    """What the customer asked for in one line, and the discount given by hand."""

    line_no: int
    sku: str
    quantity: Decimal
    discount_percent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the waterfall: how ``rule`` of ``layer`` changed the line's total."""

    layer: str
    rule: str
    amount: Decimal
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine:
    """A line with its price and the steps that add up to ``amount``.

    ``unit_price`` is ``amount`` ÷ quantity to four decimals, for reading; ``amount`` is what counts.
    """

    line_no: int
    sku: str
    description: str
    quantity: Decimal
    list_price: Decimal
    unit_price: Decimal
    discount_percent: Decimal
    amount: Decimal
    cost: Decimal | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginLayer:
    """A plugin's step, ready to run: ``adjust`` is the plugin's own method of that name."""

    name: str
    after: str
    adjust: Callable[[pa.Table], pa.Table]


def check_percent(percent: Decimal, what: str) -> None:
    """Raise ValueError unless ``percent`` lies in 0 … 100."""
    if not 0 <= percent <= 100:
        raise ValueError(f"{what}: {percent} % is not within 0 and 100")


def check_period(first: date | None, last: date | None) -> None:
    """Raise ValueError where a validity ends before it begins."""
    if first and last and last < first:
        raise ValueError(f"valid_to {last} is before valid_from {first}")


def holds(first: date | None, last: date | None, on: date) -> bool:
    """Whether ``on`` lies in a validity; both ends belong to it."""
    return (first is None or first <= on) and (last is None or on <= last)


def validity(first: date | None, last: date | None) -> str:
    """A validity in words."""
    if first and last:
        return f"{first} to {last}"
    if first:
        return f"from {first}"
    return f"until {last}" if last else "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A quote without its lines. ``state`` is expired where a draft or sent quote has passed its last day."""

    quote_id: int
    state: str
    opportunity_id: int | None
    account_id: int | None
    contact_id: int | None
    lead_id: int | None
    owner: str | None
    price_book: str
    currency: str
    total: Decimal
    priced_on: date
    valid_until: date
    payment_terms_days: int
    revision: int
    created_at: datetime
    updated_at: datetime
    accepted_at: datetime | None = None
    priced_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteView:
    """A quote with its lines and the steps of their prices; ``needs`` are the approvals it needs, given or not."""

    quote: Quote
    lines: tuple[PricedLine, ...]
    needs: tuple[Need, ...] = ()
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The order that an accepted quote became. ``repeated`` tells that it was accepted before and nothing is new."""

    quote_id: int
    order_id: int
    amount: Decimal
    currency: str
    lines: int
    opportunity_id: int | None
    won: bool
    repeated: bool = False
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row of a file that could not be taken over."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductImport:
    """What became of the rows of a product file: ``rows`` = new + updated + unchanged + rejected."""

    file: str
    rows: int
    new: int
    updated: int
    unchanged: int
    rejected: tuple[RejectedRow, ...] = ()
    ignored_columns: tuple[str, ...] = ()
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPrice:
    """The price of a product in one book today."""

    book: str
    currency: str
    price: Decimal
    from_quantity: Decimal
    mode: str
    validity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """A product and its prices in every book that holds today."""

    product: Product
    description: str
    prices: tuple[BookPrice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceView:
    """The price of one product with the way it came about, and the promotions that did not count."""

    line: PricedLine
    price_book: str
    currency: str
    priced_on: date
    not_applied: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceCheck:
    """The price books that were looked at, and what is wrong with them."""

    books: tuple[str, ...]
    problems: tuple[str, ...]
