"""Check digits of the commonest tax numbers as SQL, so that a million of them need no Python; the rest is stdnum's.

A test compares every rule with python-stdnum. Taiwan's is wider than the library's: since April 2023 the Ministry of
Finance asks that the weighted sum be divisible by 5, where it used to be 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sfactl.leads.cleaning.expression import among

USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Characters of China's unified social credit code (GB 32100-2015), in the order of their values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One country's number. ``pattern`` says which texts the rule is for, ``right`` is SQL for its check.

    ``prefix`` is left off what is stored. Where ``sure``, a number that fails is wrong; else other kinds of numbers of
    that country look alike, and the library decides.
    """

    country: str
    pattern: str
    right: str
    prefix: str = ""
    sure: bool = False


def rules(number: str) -> tuple[Rule, ...]:
    """The rules over the SQL ``number``: a text without blanks and dashes."""
    bare = f"right({number}, 9)"
    return (
        Rule(country="TW", pattern="[0-9]{8}", right=_taiwan(number), sure=True),
        Rule(country="CN", pattern=f"[0-9]{{8}}[{USCC}]{{10}}", right=_china(number), sure=True),
        Rule(country="JP", pattern="[0-9]{13}", right=_japan(number), sure=True),
        Rule(country="US", pattern="[0-9]{9}", right=f"{among(f'left({number}, 2)', _employer_prefixes())}"),
        Rule(country="DE", pattern="(?:DE)?[1-9][0-9]{8}", right=_germany(bare), prefix="DE"),
        Rule(country="GB", pattern="(?:GB)?[0-9]{9}", right=_britain(bare), prefix="GB"),
        # The library compares the year with today's; a number of this decade is its business.
        Rule(country="SG", pattern="(?:19[0-9]{2}|20[01][0-9])[0-9]{5}[A-Z]", right=_singapore(number)),
    )


def _digit(number: str, i: int) -> str:
    return f"(ascii({number}[{i}:{i}]) - 48)"


def _weighted(number: str, weights: Sequence[int], first: int = 1) -> str:
    return "(" + " + ".join(f"{_digit(number, i)} * {w}" for i, w in enumerate(weights, first)) + ")"


def _taiwan(number: str) -> str:
    weights = (1, 2, 1, 2, 1, 2, 4, 1)

    def added(i: int, weight: int) -> str:
        product = f"({_digit(number, i)} * {weight})"
        return f"({product} // 10 + {product} % 10)" if weight > 1 else product

    total = " + ".join(added(i, w) for i, w in enumerate(weights, 1))
    # A 7 in the seventh place may count as 0 or as 1: 7 times 4 is 28, 2 and 8 is 10.
    return f"(({total}) % 5 = 0 or ({_digit(number, 7)} = 7 and ({total}) % 5 = 4))"


def _china(number: str) -> str:
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    value = f"(strpos('{USCC}', {number}[%d:%d]) - 1)"
    total = " + ".join(f"{value % (i, i)} * {w}" for i, w in enumerate(weights, 1))
    return f"((31 - ({total}) % 31) % 31 = {value % (18, 18)})"


def _japan(number: str) -> str:
    return f"(9 - {_weighted(number, (2, 1) * 6, 2)} % 9 = {_digit(number, 1)})"


def _germany(number: str) -> str:
    digits = f"list_transform(string_split({number}, ''), lambda c: cast(c as integer))"
    step = "lambda a, d: ((case when a = 0 then 10 else a end) * 2 % 11 + d) % 10"  # ISO 7064 mod 11, 10
    return f"(list_reduce(list_concat([5], {digits}), {step}) = 1)"


def _britain(number: str) -> str:
    check = f"{_weighted(number, (8, 7, 6, 5, 4, 3, 2, 10, 1))} % 97"
    return f"({check} = 0 or (left({number}, 3) >= '100' and {check} in (42, 55)))"


def _singapore(number: str) -> str:
    check = f"{_weighted(number, (10, 8, 6, 4, 9, 7, 5, 3, 1))} % 11"
    return f"(substr('ZKCMDNERGWH', cast({check} as integer) + 1, 1) = {number}[10:10])"


@lru_cache(maxsize=1)
def _employer_prefixes() -> tuple[str, ...]:
    """The first two digits that the IRS gives out."""
    from stdnum.us import ein

    return tuple(f"{n:02d}" for n in range(100) if ein.is_valid(f"{n:02d}0000000"))
