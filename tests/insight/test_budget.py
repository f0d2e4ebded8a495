"""Sharing out a budget: the curve of a channel, and the best shares, checked against trying all of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfactl.insight import budget
from sfactl.insight.budget import Curve, allocate, fit

curves = st.builds(
    lambda ceiling, scale, most: Curve(ceiling=ceiling, scale=scale, slope=ceiling / scale, most=most),
    ceiling=st.floats(1, 200),
    scale=st.floats(50, 5_000),
    most=st.floats(100, 10_000),
)


@given(st.lists(curves, min_size=2, max_size=3), st.floats(100, 8_000))
def test_shares_are_as_good_as_trying_all(found: list[Curve], total: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "STEPS", 12)
        named = {str(i): curve for i, curve in enumerate(found)}
        shares = allocate(named, total)
        part = total / 12

        def worth(counts: tuple[int, ...]) -> float:
            return sum(float(c.results(np.array([n * part]))[0]) for c, n in zip(found, counts))

        best = max(worth(c) for c in product(range(13), repeat=len(found)) if sum(c) <= 12)
        mine = worth(tuple(round(shares[str(i)] / part) for i in range(len(found))))
        assert mine == pytest.approx(best)
        assert sum(shares.values()) <= total * (1 + 1e-9)


def test_a_bend_is_found_where_there_is_one() -> None:
    spends = np.linspace(100, 3_000, 12)
    curve = fit(list(spends), list(80 * (1 - np.exp(-spends / 900))))
    assert curve is not None
    assert (curve.ceiling, curve.scale) == (pytest.approx(80, rel=1e-3), pytest.approx(900, rel=1e-3))
    assert curve.marginal(900) == pytest.approx(80 / 900 / np.e, rel=1e-3)


def test_a_line_stays_a_line() -> None:
    curve = fit([100, 200, 300, 400, 500, 600], [10, 21, 29, 41, 50, 60])
    assert curve is not None
    assert curve.scale is None
    assert curve.slope == pytest.approx(0.1, rel=0.02)


def test_nothing_is_planned_beyond_what_was_tried() -> None:
    curve = fit([100, 200, 300], [10, 20, 30])
    assert curve is not None
    assert allocate({"ads": curve}, 10_000)["ads"] <= 300 * budget.STRETCH + 10
    assert curve.marginal(300 * budget.STRETCH) == 0


@pytest.mark.parametrize("spends", [[], [100, 0, 0], [100, 200]], ids=["none", "one", "two"])
def test_too_few_periods_show_nothing(spends: list[float]) -> None:
    assert fit(spends, [1.0] * len(spends)) is None


def test_no_money_and_no_channels() -> None:
    assert allocate({}, 100) == {}
    curve = fit([1, 2, 3], [1, 2, 3])
    assert curve is not None
    assert allocate({"ads": curve}, 0) == {"ads": 0.0}
