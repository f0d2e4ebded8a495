"""Plan when an order's amount falls due: shares that add up to the order to the last cent, on working days.

Each instalment is the rounded running sum less what came before, so that the last one carries the rest. A day on a
weekend moves to the Monday after it; public holidays are not known here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sfactl.api.errors import DataError
from sfactl.engine.money import round_money

_TERM = re.compile(r"(?P<percent>\d+(?:\.\d{1,4})?)%@(?P<days>\d{1,4})")
_SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """``percent`` of the order, due ``days`` after it."""

    percent: Decimal
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """One part of the plan."""

    instalment_no: int
    percent: Decimal
    due_on: date
    amount: Decimal


def parse_terms(texts: Sequence[str]) -> tuple[Term, ...]:
    """Terms such as ``30%@0`` and ``70%@30``. Raises `DataError` unless they add up to 100 %."""
    terms = []
    for text in texts:
        match = _TERM.fullmatch(text.strip())
        if match is None:
            raise DataError(
                f"{text!r} is not PERCENT%@DAYS", hint="For instance: --instalment 30%@0 --instalment 70%@30"
            )
        terms.append(Term(percent=Decimal(match["percent"]), days=int(match["days"])))
    total = sum((t.percent for t in terms), Decimal(0))
    if total != 100:
        raise DataError(f"the instalments add up to {total} %, not 100 %")
    return tuple(sorted(terms, key=lambda t: t.days))


def plan(amount: Decimal, currency: str, ordered_on: date, terms: Sequence[Term]) -> tuple[Instalment, ...]:
    """The instalments of an order, by due date; their amounts add up to ``amount``."""
    made, share, before = [], Decimal(0), Decimal(0)
    for number, term in enumerate(terms, 1):
        share += term.percent
        running = amount if number == len(terms) else round_money(amount * share / 100, currency)
        due = working_day(ordered_on + timedelta(days=term.days))
        made.append(Instalment(instalment_no=number, percent=term.percent, due_on=due, amount=running - before))
        before = running
    return tuple(made)


def working_day(day: date) -> date:
    """``day``, or the Monday after a weekend."""
    return day + timedelta(days=7 - day.weekday()) if day.weekday() >= _SATURDAY else day
