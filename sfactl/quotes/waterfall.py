"""Price lines step by step: list, book, volume, promotion, discount by hand, plugin layers, rounding.

The order of rounding: everything before the last step is exact decimal arithmetic on the line's total; the total is
rounded once, half-up, to the currency's ISO 4217 digits; a quote's total is the sum of its rounded lines. Steps are
kept to four decimals as differences of the running total, so that they add up to the line's amount to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import TYPE_CHECKING

from sfactl.api.errors import DataError, NotFound, PluginError
from sfactl.engine.money import minor_digits, round_money
from sfactl.quotes.books import PriceTable, Tiers
from sfactl.quotes.model import (
    MONEY_LIMIT,
    MONEY_STEP,
    LineRequest,
    PluginLayer,
    PricedLine,
    Product,
    Promotion,
    Step,
    check_percent,
    holds,
    validity,
)

if TYPE_CHECKING:
    import pyarrow as pa

LAYERS = ("list", "book", "volume", "promotion", "manual")
"""The built-in layers in their order; plugin layers come after the one they name, rounding is last."""

EXACT = Context(prec=200)


@dataclass(slots=True)
class _Draft:
    """One line while its layers are applied; ``marks`` holds the running total after each."""

    request: LineRequest
    product: Product
    tiers: Tiers
    inherited: bool
    list_price: Decimal = Decimal(0)
    running: Decimal = Decimal(0)
    marks: list[tuple[str, str, str, Decimal]] = field(default_factory=list)

    def mark(self, layer: str, rule: str, to: Decimal, detail: str = "") -> None:
        if to != self.running or layer == "list":
            self.running = to
            self.marks.append((layer, rule, detail, to))

    def percent_off(self, layer: str, rule: str, percent: Decimal, detail: str = "") -> None:
        self.mark(layer, f"{rule} -{_plain(percent)}%", self.running - self.running * percent / 100, detail)


def price_lines(
    requests: Sequence[LineRequest], table: PriceTable, layers: Iterable[PluginLayer] = ()
) -> tuple[PricedLine, ...]:
    """Price all lines of a quote; steps of a line add up to its amount, amounts to the quote's total.

    Errors: `NotFound` (product or price unknown), `PolicyError` (not sold), `ConfigError` (ambiguous price),
    `DataError` (a quantity or percentage that makes no sense), `PluginError` (a layer answered wrongly).
    """
    plugins = sorted(layers, key=lambda layer: layer.name)
    for plugin in plugins:
        if plugin.after not in LAYERS:
            raise PluginError(f"price layer {plugin.name}: after {plugin.after!r} is not one of {', '.join(LAYERS)}")
    with localcontext(EXACT):
        drafts = [_draft(request, table) for request in requests]
        for layer in LAYERS:
            for draft in drafts:
                _BUILT_IN[layer](draft, table)
            for plugin in plugins:
                if plugin.after == layer:
                    _run_plugin(plugin, drafts, table)
        return tuple(_finish(draft, table.book.currency) for draft in drafts)


def skipped_promotions(product: Product, table: PriceTable) -> list[str]:
    """Promotions meant for the product that do not count on the day, and why."""
    found = []
    for p in table.book.promotions:
        if p.covers(product) and not holds(p.valid_from, p.valid_to, table.priced_on):
            why = "ended" if p.valid_to and p.valid_to < table.priced_on else "begins"
            found.append(f"promo:{p.name} -{_plain(p.percent)}% {why} {p.valid_to if why == 'ended' else p.valid_from}")
    counted = _counting(product, table)
    found += [
        f"promo:{p.name} -{_plain(p.percent)}% does not stack with promo:{counted[0].name}"
        for p in table.book.promotions
        if counted and p.covers(product) and holds(p.valid_from, p.valid_to, table.priced_on) and p not in counted
    ]
    return found


def _draft(request: LineRequest, table: PriceTable) -> _Draft:
    product = table.product(request.sku)
    _check_request(request)
    own, inherited = table.own(request.sku), table.inherited(request.sku)
    chosen = own or inherited
    if chosen is None:
        books = table.book.name + (f" or {table.base.name}" if table.base else "")
        raise NotFound(
            f"{request.sku} has no price in {books} on {table.priced_on}",
            hint=f"Add it to prices/{table.book.name}.toml, or choose another book with --book.",
        )
    if request.quantity < chosen.first.from_quantity:
        raise DataError(
            f"{request.sku} is sold from {_plain(chosen.first.from_quantity)} {product.unit or 'units'} on, "
            f"not {_plain(request.quantity)}"
        )
    return _Draft(request, product, chosen, inherited=own is None)


def _check_request(request: LineRequest) -> None:
    if request.quantity <= 0 or request.quantity != request.quantity.quantize(MONEY_STEP):
        raise DataError(f"{request.sku}: quantity {request.quantity} must be above 0 with at most four decimals")
    try:
        check_percent(request.discount_percent, request.sku)
    except ValueError as err:
        raise DataError(str(err)) from None
    if request.discount_percent != request.discount_percent.quantize(MONEY_STEP):
        raise DataError(f"{request.sku}: discount {request.discount_percent} % has more than four decimals")


def _list(draft: _Draft, table: PriceTable) -> None:
    from_base = table.inherited(draft.request.sku)
    source = from_base or draft.tiers
    book = table.base if from_base and table.base else table.book
    draft.list_price = source.first.price
    detail = validity(source.first.valid_from or book.valid_from, source.first.valid_to or book.valid_to)
    draft.mark("list", f"book:{book.name}", draft.request.quantity * source.first.price, detail)


def _book(draft: _Draft, table: PriceTable) -> None:
    if table.base is None:
        return
    rule, detail = f"book:{table.book.name}", validity(table.book.valid_from, table.book.valid_to)
    if draft.inherited:
        draft.percent_off("book", rule, table.book.percent, detail)
    else:
        change = draft.request.quantity * (draft.tiers.first.price - draft.list_price)
        draft.mark("book", rule, draft.running + change, detail)


def _volume(draft: _Draft, table: PriceTable) -> None:
    quantity, tiers = draft.request.quantity, draft.tiers
    row = tiers.reached(quantity)
    # As a difference, so that what a plugin layer added before stays.
    change = tiers.total(quantity) - quantity * tiers.first.price
    if draft.inherited:
        change -= change * table.book.percent / 100
    detail = f"{tiers.mode} price, {_plain(row.price)} from {_plain(row.from_quantity)}"
    draft.mark("volume", f"{tiers.mode}:{_plain(row.from_quantity)}+", draft.running + change, detail)


def _promotion(draft: _Draft, table: PriceTable) -> None:
    for p in _counting(draft.product, table):
        draft.percent_off("promotion", f"promo:{p.name}", p.percent, validity(p.valid_from, p.valid_to))


def _counting(product: Product, table: PriceTable) -> list[Promotion]:
    """The promotions that count: the largest of those that stand alone, then those that stack, in file order."""
    held = [p for p in table.book.promotions if p.covers(product) and holds(p.valid_from, p.valid_to, table.priced_on)]
    alone = sorted((p for p in held if not p.stack), key=lambda p: (-p.percent, p.name))
    return [*alone[:1], *(p for p in held if p.stack)]


def _manual(draft: _Draft, table: PriceTable) -> None:
    del table  # a discount by hand depends on the line alone
    draft.percent_off("manual", "manual", draft.request.discount_percent)


_BUILT_IN = {"list": _list, "book": _book, "volume": _volume, "promotion": _promotion, "manual": _manual}


def _run_plugin(layer: PluginLayer, drafts: Sequence[_Draft], table: PriceTable) -> None:
    by_line = {d.request.line_no: d for d in drafts}
    for row in layer.adjust(_plugin_input(drafts, table)).to_pylist():
        draft, amount = by_line.get(row.get("line_no")), row.get("amount")
        if draft is None or amount is None:
            raise PluginError(f"price layer {layer.name} answered a row without a known line_no and an amount: {row}")
        change = Decimal(str(amount)) * draft.request.quantity
        draft.mark(layer.name, f"{layer.name}:{row.get('rule') or 'rule'}", draft.running + change)


def _plugin_input(drafts: Sequence[_Draft], table: PriceTable) -> pa.Table:
    import pyarrow as pa

    with localcontext(EXACT):
        unit = [(d.running / d.request.quantity).quantize(MONEY_STEP, ROUND_HALF_UP) for d in drafts]
    money, size = pa.decimal128(18, 4), len(drafts)
    return pa.table(
        {
            "line_no": pa.array([d.request.line_no for d in drafts], pa.int64()),
            "sku": pa.array([d.request.sku for d in drafts], pa.string()),
            "quantity": pa.array([d.request.quantity.quantize(MONEY_STEP) for d in drafts], money),
            "price": pa.array(unit, money),
            "currency": pa.array([table.book.currency] * size, pa.string()),
            "priced_on": pa.array([table.priced_on] * size, pa.date32()),
        }
    )


def _finish(draft: _Draft, currency: str) -> PricedLine:
    amount = round_money(draft.running, currency)
    if not -MONEY_LIMIT < amount < MONEY_LIMIT:
        raise DataError(f"{draft.request.sku}: the line's total {amount} has more than 14 digits before the point")
    if amount < 0:
        raise DataError(f"{draft.request.sku}: the layers take more than the price; the line would cost {amount}")
    steps, before = [], Decimal(0)
    for layer, rule, detail, running in draft.marks:
        kept = running.quantize(MONEY_STEP, ROUND_HALF_UP)
        steps.append(Step(layer=layer, rule=rule, amount=kept - before, detail=detail))
        before = kept
    if amount != before:
        rule = f"half-up to {minor_digits(currency)} digits"
        steps.append(Step(layer="rounding", rule=rule, amount=amount - before))
    quantity, product = draft.request.quantity, draft.product
    known_cost = product.cost is not None and product.currency == currency
    return PricedLine(
        line_no=draft.request.line_no,
        sku=product.sku,
        description=product.name,
        quantity=quantity,
        list_price=draft.list_price,
        unit_price=(amount / quantity).quantize(MONEY_STEP, ROUND_HALF_UP),
        discount_percent=draft.request.discount_percent,
        amount=amount,
        cost=(product.cost * quantity).quantize(MONEY_STEP, ROUND_HALF_UP) if known_cost and product.cost else None,
        steps=tuple(steps),
    )


def _plain(number: Decimal) -> str:
    """A number without exponent and trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
