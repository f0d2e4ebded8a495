"""Money: ISO 4217 decimals, half away from zero, the code beside the number."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfactl.engine.money import CurrencyError, format_money, minor_digits, round_money


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("EUR", 2), ("TWD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("HUF", 2), ("IQD", 3), ("UGX", 0), ("IDR", 2)],
)
def test_decimals_are_those_of_iso_4217(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits


@pytest.mark.parametrize(("wrong", "hint"), [("EURO", "'EUR'"), ("eur", "'EUR'"), ("", "ISO 4217"), ("12", "ISO 4217")])
def test_an_unknown_currency_is_refused_with_the_nearest_code(wrong: str, hint: str) -> None:
    with pytest.raises(CurrencyError, match=hint):
        minor_digits(wrong)


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("2.345", "EUR", "2.35"),
        ("2.355", "EUR", "2.36"),
        ("-2.345", "EUR", "-2.35"),
        ("2.3449999", "EUR", "2.34"),
        ("0.5", "JPY", "1"),
        ("1.5", "JPY", "2"),
        ("1.0005", "KWD", "1.001"),
        ("7", "EUR", "7.00"),
    ],
)
def test_half_a_unit_goes_away_from_zero(amount: str, currency: str, rounded: str) -> None:
    assert str(round_money(Decimal(amount), currency)) == rounded


def test_a_float_is_not_money() -> None:
    with pytest.raises(TypeError, match="not float"):
        round_money(2.5, "EUR")  # type: ignore[arg-type]


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=6), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_rounding_moves_by_at_most_half_a_unit_and_only_once(amount: Decimal, currency: str) -> None:
    once = round_money(amount, currency)
    assert abs(once - amount) * 2 <= Decimal(1).scaleb(-minor_digits(currency))
    assert round_money(once, currency) == once
    assert round_money(-amount, currency) == -once


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "TWD 1,280,000.00"),
        ("de", "1.280.000,00 TWD"),
        ("zh-TW", "TWD 1,280,000.00"),
        ("hi", "TWD 12,80,000.00"),
        ("fr", "1\u202f280\u202f000,00 TWD"),
        ("he", "1,280,000.00 TWD"),
        ("tlh-XX", "TWD 1,280,000.00"),
    ],
)
def test_the_language_sets_separators_and_the_place_of_the_code(language: str, text: str) -> None:
    assert format_money(Decimal(1280000), "TWD", language) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [("1234.5", "JPY", "JPY 1,235"), ("0.0005", "KWD", "KWD 0.001"), ("-76800.005", "EUR", "-EUR 76,800.01")],
)
def test_amounts_are_rounded_before_they_are_written(amount: str, currency: str, text: str) -> None:
    assert format_money(Decimal(amount), currency) == text
