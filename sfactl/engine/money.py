"""How many decimals a currency has, how an amount is rounded to them, and how it is written for people.

Decimals follow ISO 4217 (not CLDR, which knows how cash is handled: an invoice in TWD has cents). Amounts are `Decimal`
only; a float is refused because it has lost the cents already.
"""

from __future__ import annotations

import difflib
import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from sfactl.api.errors import InternalError, UserError

DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""The currencies of ISO 4217 whose minor unit is not a hundredth."""


class CurrencyError(UserError, ValueError):
    """The text is not a currency code of ISO 4217."""


@lru_cache(maxsize=512)
def minor_digits(currency: str) -> int:
    """Decimals of ``currency`` by ISO 4217. Raises `CurrencyError` with the nearest code."""
    for digits, codes in DIGITS.items():
        if currency in codes.split():
            return digits
    if currency not in _codes():
        near = difflib.get_close_matches(currency.upper(), _codes(), 1)
        hint = f"Did you mean {near[0]!r}?" if near else "Write the code of ISO 4217, such as 'EUR'."
        raise CurrencyError(f"{currency!r} is not a currency. {hint}")
    return 2


def round_money(amount: Decimal, currency: str) -> Decimal:
    """``amount`` with the decimals of ``currency``; half a unit goes away from zero, as on invoices (2.345 → 2.35)."""
    if not isinstance(amount, Decimal):
        raise TypeError(f"money is Decimal, not {type(amount).__name__}")
    return amount.quantize(Decimal(1).scaleb(-minor_digits(currency)), rounding=ROUND_HALF_UP)


def format_money(amount: Decimal, currency: str, language: str = "en") -> str:
    """``amount`` as people of ``language`` (BCP 47) write it, with the currency's code: ``TWD 1,280,000.00``.

    The code stands where the language puts the symbol; symbols are not used because $ and ¥ mean several currencies.
    An unknown language is written as English.
    """
    from babel.numbers import format_currency

    rounded = round_money(amount, currency)
    pattern = _pattern(language, minor_digits(currency))
    text = format_currency(rounded, currency, pattern, locale=_locale(language), currency_digits=False)
    return text.replace("\xa0", " ")


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    from babel.numbers import list_currencies

    return frozenset(list_currencies())


@lru_cache(maxsize=64)
def _locale(language: str) -> str:
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(language.replace("_", "-"), sep="-"))
    except (UnknownLocaleError, ValueError):
        return "en"


@lru_cache(maxsize=64)
def _pattern(language: str, digits: int) -> str:
    from babel import Locale

    pattern = Locale.parse(_locale(language)).currency_formats["standard"].pattern
    grouped = re.search(r"[#0][#0,]*", pattern)
    if grouped is None:
        raise InternalError(f"the money pattern {pattern!r} of {language} has no digits")
    number = grouped[0] + ("." + "0" * digits if digits else "")
    return f"¤¤\xa0{number}" if pattern.index("¤") < grouped.start() else f"{number}\xa0¤¤"
