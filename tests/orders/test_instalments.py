"""The plan of an order's instalments: exact to the last cent, on working days."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.api.errors import DataError
from sfactl.engine.money import minor_digits
from sfactl.orders import usecases
from sfactl.orders.instalments import Term, parse_terms, plan
from sfactl.session import Session


def test_shares_are_due_on_working_days() -> None:
    made = plan(Decimal("100.01"), "EUR", date(2026, 6, 4), parse_terms(["70%@30", "30%@2"]))
    assert [(i.percent, i.due_on, i.amount) for i in made] == [
        (30, date(2026, 6, 8), Decimal("30.00")),  # Saturday the 6th
        (70, date(2026, 7, 6), Decimal("70.01")),  # Saturday the 4th
    ]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["30%@0"], "add up to 30 %"),
        (["30@0", "70%@1"], "'30@0' is not"),
        (["100%@-1"], "is not"),
        (["50%@1"] * 3, "150 %"),
    ],
)
def test_terms_must_make_sense(texts: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        parse_terms(texts)


@given(
    cents=st.integers(0, 10**12),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    cuts=st.lists(st.integers(1, 9999), max_size=6, unique=True),
)
@settings(max_examples=100, deadline=None)
def test_instalments_add_up_to_the_order(cents: int, currency: str, cuts: list[int]) -> None:
    amount = Decimal(cents).scaleb(-minor_digits(currency))
    edges = [0, *sorted(cuts), 10000]
    terms = [Term(percent=Decimal(b - a) / 100, days=n) for n, (a, b) in enumerate(pairwise(edges))]
    made = plan(amount, currency, date(2026, 1, 1), terms)
    assert sum(i.amount for i in made) == amount
    assert all(i.amount >= 0 and i.due_on.weekday() < 5 for i in made)


def test_a_plan_is_kept_and_replaced(session: Session) -> None:
    assert [i.due_on for i in usecases.plan_order(session, "O-1").instalments] == [date(2026, 6, 15)]
    three = usecases.plan_order(session, "O-1", instalments=["30%@0", "30%@30", "40%@60"])
    assert [i.amount for i in three.instalments] == [90, 90, 120]
    assert usecases.plan_order(session, "O-1").instalments == three.instalments
    two = usecases.plan_order(session, "O-1", instalments=["50%@0", "50%@30"])
    assert usecases.plan_order(session, "1").instalments == two.instalments
    assert usecases.plan_order(session, "1").commit is None
