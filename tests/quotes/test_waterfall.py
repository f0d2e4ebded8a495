"""The price waterfall: steps add up, rounding happens once and last, promotions hold only in their time."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.api.errors import ConfigError, DataError, NotFound, PluginError, PolicyError
from sfactl.engine.money import round_money
from sfactl.quotes.books import PriceTable, Tiers
from sfactl.quotes.model import LineRequest, PluginLayer, PriceBook, PriceRow, Product, Promotion
from sfactl.quotes.waterfall import price_lines, skipped_promotions

DAY = date(2026, 6, 15)
PRODUCTS = {
    "LX-300": Product(sku="LX-300", name="雷射切割機 LX-300", family="lasers", cost=Decimal(1000), currency="EUR"),
    "FLT-10": Product(sku="FLT-10", name="Filter", family="parts"),
    "OLD-1": Product(sku="OLD-1", name="Old", active=False),
}


def row(sku: str, price: str, from_quantity: str = "1", **more: object) -> PriceRow:
    return PriceRow(sku=sku, price=Decimal(price), from_quantity=Decimal(from_quantity), **more)


def table(book: PriceBook, base: PriceBook | None = None, on: date = DAY) -> PriceTable:
    return PriceTable(book=book, base=base, products=PRODUCTS, priced_on=on)


def ask(sku: str = "LX-300", quantity: str = "1", discount: str = "0", line_no: int = 1) -> LineRequest:
    return LineRequest(line_no=line_no, sku=sku, quantity=Decimal(quantity), discount_percent=Decimal(discount))


def book(*prices: PriceRow, currency: str = "EUR", **more: object) -> PriceBook:
    return PriceBook(name="list", currency=currency, prices=prices, **more)


TIERS = [row("LX-300", "100"), row("LX-300", "90", "10"), row("LX-300", "80", "50")]


@pytest.mark.parametrize(
    ("mode", "quantity", "total"),
    [
        ("volume", "9", "900"),
        ("volume", "10", "900"),
        ("volume", "49", "4410"),
        ("volume", "50", "4000"),
        ("graduated", "9", "900"),
        ("graduated", "10", "990"),
        ("graduated", "49", "4500"),
        ("graduated", "50", "4580"),
        ("graduated", "9.5", "945"),
        ("graduated", "0.5", "50"),
    ],
)
def test_tiers_are_exact_at_their_boundaries(mode: str, quantity: str, total: str) -> None:
    rows = tuple(
        PriceRow(sku=r.sku, price=r.price, from_quantity=r.from_quantity, mode=mode)  # type: ignore[arg-type]
        for r in TIERS
    )
    if quantity == "0.5":
        rows = (PriceRow(sku="LX-300", price=Decimal(100), from_quantity=Decimal("0.5"), mode="graduated"), *rows[1:])
    assert Tiers(rows=rows).total(Decimal(quantity)) == Decimal(total)


def test_every_layer_leaves_one_step() -> None:
    base = book(*TIERS)
    dealer = PriceBook(
        name="dealer",
        currency="EUR",
        base="list",
        percent=Decimal(6),
        promotions=(Promotion(name="spring", percent=Decimal(3), valid_to=date(2026, 6, 30)),),
    )
    (line,) = price_lines([ask(quantity="12", discount="1.5")], table(dealer, base))
    assert [(s.layer, s.rule, str(s.amount)) for s in line.steps] == [
        ("list", "book:list", "1200.0000"),
        ("book", "book:dealer -6%", "-72.0000"),
        ("volume", "volume:10+", "-112.8000"),
        ("promotion", "promo:spring -3%", "-30.4560"),
        ("manual", "manual -1.5%", "-14.7712"),
        ("rounding", "half-up to 2 digits", "-0.0028"),
    ]
    assert line.amount == Decimal("969.97")
    assert line.cost == Decimal(12000)


def test_a_book_with_its_own_row_overrides_its_base() -> None:
    dealer = PriceBook(name="dealer", currency="EUR", base="list", percent=Decimal(6), prices=(row("LX-300", "95"),))
    (line,) = price_lines([ask(quantity="12")], table(dealer, book(*TIERS)))
    assert [(s.layer, s.amount) for s in line.steps] == [("list", Decimal(1200)), ("book", Decimal(-60))]


@pytest.mark.parametrize(
    ("price", "quantity", "discount", "currency", "amount"),
    [
        # Rounding the unit price or the discount before multiplying would give another cent in each of these.
        ("1.005", "1000", "0", "EUR", "1005.00"),
        ("0.0333", "3", "0", "EUR", "0.10"),
        ("12.3456", "7", "12.5", "EUR", "75.62"),
        ("1292.5", "1", "0", "JPY", "1293"),
        ("1.0005", "1", "0", "KWD", "1.001"),
        ("20.625", "1", "0", "USD", "20.63"),
        ("0.99", "1", "50", "USD", "0.50"),
        ("158.0049", "1", "0", "USD", "158.00"),
    ],
)
def test_a_line_is_rounded_once_and_last(price: str, quantity: str, discount: str, currency: str, amount: str) -> None:
    (line,) = price_lines(
        [ask(quantity=quantity, discount=discount)], table(book(row("LX-300", price), currency=currency))
    )
    assert line.amount == Decimal(amount)
    assert sum(s.amount for s in line.steps) == line.amount


@pytest.mark.parametrize(
    ("on", "rules"),
    [
        (date(2026, 2, 28), []),
        (date(2026, 3, 1), ["promo:spring -10%"]),
        (date(2026, 3, 31), ["promo:spring -10%"]),
        (date(2026, 4, 1), []),
    ],
    ids=["day before", "first day", "last day", "day after"],
)
def test_a_promotion_holds_from_its_first_to_its_last_day(on: date, rules: list[str]) -> None:
    spring = Promotion(name="spring", percent=Decimal(10), valid_from=date(2026, 3, 1), valid_to=date(2026, 3, 31))
    priced = table(book(row("LX-300", "100"), promotions=(spring,)), on=on)
    (line,) = price_lines([ask()], priced)
    assert [s.rule for s in line.steps if s.layer == "promotion"] == rules
    assert bool(skipped_promotions(PRODUCTS["LX-300"], priced)) is not bool(rules)


def test_only_the_largest_promotion_counts_unless_they_stack() -> None:
    promotions = (
        Promotion(name="five", percent=Decimal(5)),
        Promotion(name="ten", percent=Decimal(10), family="lasers"),
        Promotion(name="loyal", percent=Decimal(1), stack=True),
        Promotion(name="parts", percent=Decimal(50), family="parts"),
    )
    priced = table(book(row("LX-300", "100"), promotions=promotions))
    (line,) = price_lines([ask()], priced)
    assert [(s.rule, s.amount) for s in line.steps[1:]] == [
        ("promo:ten -10%", -10),
        ("promo:loyal -1%", Decimal("-0.9")),
    ]
    assert skipped_promotions(PRODUCTS["LX-300"], priced) == ["promo:five -5% does not stack with promo:ten"]


def test_a_quantity_discount_goes_when_units_are_taken_away() -> None:
    priced = table(book(*TIERS))
    assert price_lines([ask(quantity="10")], priced)[0].amount == 900
    assert price_lines([ask(quantity="9")], priced)[0].amount == 900
    assert [s.layer for s in price_lines([ask(quantity="9")], priced)[0].steps] == ["list"]


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        (ask("LX-30"), NotFound, "no product 'LX-30'"),
        (ask("OLD-1"), PolicyError, "not sold any more"),
        (ask("FLT-10"), NotFound, "FLT-10 has no price in list"),
        (ask(quantity="0"), DataError, "above 0"),
        (ask(quantity="0.00001"), DataError, "four decimals"),
        (ask(discount="101"), DataError, "not within 0 and 100"),
        (ask(quantity="99999999999999"), DataError, "14 digits"),
    ],
    ids=lambda v: v if isinstance(v, str) else None,
)
def test_what_cannot_be_priced_is_said(request_: LineRequest, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        price_lines([request_], table(book(row("LX-300", "100"))))


def test_the_nearest_article_number_is_named() -> None:
    with pytest.raises(NotFound) as caught:
        price_lines([ask("LX300")], table(book(row("LX-300", "100"))))
    assert caught.value.hint == "Did you mean LX-300 (雷射切割機 LX-300)?"


def test_two_prices_that_fit_equally_well_are_an_error() -> None:
    twice = book(row("LX-300", "100"), row("LX-300", "101", valid_from=date(2026, 6, 1)))
    with pytest.raises(ConfigError, match="two prices from quantity 1 on 2026-06-15"):
        price_lines([ask()], table(twice))
    assert price_lines([ask()], table(twice, on=date(2026, 5, 31)))[0].amount == 100


def surcharge(lines: pa.Table) -> pa.Table:
    rows = [(r["line_no"], "metal", Decimal("0.5")) for r in lines.to_pylist() if r["price"] < 100]
    return pa.table({"line_no": [r[0] for r in rows], "rule": [r[1] for r in rows], "amount": [r[2] for r in rows]})


def test_a_plugin_layer_sees_the_price_after_the_layer_it_follows() -> None:
    promoted = book(row("LX-300", "100"), promotions=(Promotion(name="p", percent=Decimal(10)),))
    layer = PluginLayer(name="metal", after="promotion", adjust=surcharge)
    (line,) = price_lines([ask(quantity="4", discount="50")], table(promoted), [layer])
    assert [(s.layer, s.rule, s.amount) for s in line.steps] == [
        ("list", "book:list", 400),
        ("promotion", "promo:p -10%", -40),
        ("metal", "metal:metal", 2),
        ("manual", "manual -50%", -181),
    ]
    early = PluginLayer(name="metal", after="list", adjust=surcharge)
    assert price_lines([ask()], table(promoted), [early])[0].amount == 90


@pytest.mark.parametrize(
    "answer",
    [{"line_no": [7], "rule": ["r"], "amount": [1.0]}, {"line_no": [1], "rule": ["r"], "amount": pa.array([None])}],
    ids=["unknown line", "no amount"],
)
def test_a_plugin_layer_that_answers_wrongly_is_named(answer: dict[str, object]) -> None:
    layer = PluginLayer(name="odd", after="promotion", adjust=lambda _: pa.table(answer))
    with pytest.raises(PluginError, match="price layer odd"):
        price_lines([ask()], table(book(row("LX-300", "100"))), [layer])


money = st.decimals(min_value="0.0001", max_value="9999999", places=4)
percent = st.decimals(min_value=0, max_value=100, places=3)


@given(
    prices=st.lists(money, min_size=1, max_size=4),
    mode=st.sampled_from(["volume", "graduated"]),
    quantity=st.decimals(min_value=1, max_value=500, places=3),
    cut=percent,
    promotions=st.lists(st.tuples(percent, st.booleans()), max_size=4),
    discount=percent,
    currency=st.sampled_from(["EUR", "JPY", "KWD", "CLF", "TWD"]),
)
@settings(max_examples=150, deadline=None)
def test_steps_add_up_to_the_amount_and_only_the_last_one_rounds(
    prices: list[Decimal],
    mode: str,
    quantity: Decimal,
    cut: Decimal,
    promotions: list[tuple[Decimal, bool]],
    discount: Decimal,
    currency: str,
) -> None:
    rows = [row("LX-300", str(p), str(i * 10 + 1), mode=mode) for i, p in enumerate(prices)]
    dealer = PriceBook(
        name="dealer",
        currency=currency,
        base="list",
        percent=cut,
        promotions=tuple(Promotion(name=f"p{i}", percent=p, stack=s) for i, (p, s) in enumerate(promotions)),
    )
    priced = table(dealer, book(*rows, currency=currency))
    requests = [ask(quantity=str(quantity), discount=str(discount), line_no=n) for n in (1, 2)]
    lines = price_lines(requests, priced)
    for line in lines:
        assert sum(s.amount for s in line.steps) == line.amount
        assert line.amount == round_money(line.amount, currency)
        assert abs(line.unit_price * quantity - line.amount) <= quantity * Decimal("0.00005")
        assert all(abs(s.amount) < 1 for s in line.steps if s.layer == "rounding")
    assert lines[0].steps == lines[1].steps
