"""Figures against their definitions, computed the slow way, and published numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.scoring.metrics import auc, auc_difference, chances_by_points, lift, log_loss, measured, reliability, wilson

LEADS = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=4, max_size=60).filter(
    lambda rows: 0 < sum(won for won, _ in rows) < len(rows)
)


def arrays(rows: list[tuple[bool, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([won for won, _ in rows]), np.array([float(points) for _, points in rows])


@settings(max_examples=50)
@given(LEADS)
def test_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[bool, int]]) -> None:
    won, points = arrays(rows)
    pairs = [(a > b) + 0.5 * (a == b) for a in points[won] for b in points[~won]]
    found = auc(won, points)
    assert found.value == pytest.approx(sum(pairs) / len(pairs))
    assert found.low <= found.value <= found.high


def test_the_interval_of_auc_is_that_of_delong() -> None:
    """Variances and covariance from the definition in DeLong et al. (1988), section 3."""
    won = np.array([1, 1, 1, 0, 0, 0, 0, 1], bool)
    one, other = np.array([9, 6, 3, 5, 2, 1, 3, 8.0]), np.array([4, 7, 1, 5, 2, 6, 3, 8.0])

    def structural(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        psi = (points[won][:, None] > points[~won]) + 0.5 * (points[won][:, None] == points[~won])
        return psi.mean(axis=1), psi.mean(axis=0)

    (a1, a0), (b1, b0) = structural(one), structural(other)
    variance = np.var(a1, ddof=1) / 4 + np.var(a0, ddof=1) / 4
    assert auc(won, one).value - auc(won, one).low == pytest.approx(1.959964 * variance**0.5, abs=1e-6)
    paired = np.var(a1 - b1, ddof=1) / 4 + np.var(a0 - b0, ddof=1) / 4
    found = auc_difference(won, one, other)
    assert found.value == pytest.approx(a1.mean() - b1.mean())
    assert found.high - found.value == pytest.approx(1.959964 * paired**0.5, abs=1e-6)


def test_wilson_is_that_of_the_textbook() -> None:
    """Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)


def test_lift_shares_ties_in_proportion() -> None:
    won = np.array([True, True, False, False, False, False, False, False, True, False])
    assert lift(won, np.array([9, 8, 7, 6, 5, 4, 3, 2, 1, 0.0]), 0.2).value == pytest.approx(1 / 0.3)
    assert lift(won, np.zeros(10), 0.2).value == pytest.approx(1)


@settings(max_examples=40)
@given(LEADS)
def test_rows_in_another_order_change_nothing(rows: list[tuple[bool, int]]) -> None:
    won, points = arrays(rows)
    chances = (points + 1) / 10
    turned = measured(won[::-1], points[::-1], chances[::-1], 0.3)
    same = measured(won, points, chances, 0.3)
    for name in ("auc", "brier", "lift_10", "lift_20"):
        assert getattr(turned, name).value == pytest.approx(getattr(same, name).value)
    assert sum(b.leads for b in same.reliability) == len(rows)


@settings(max_examples=40)
@given(LEADS)
def test_points_become_chances_that_rise_and_are_never_certain(rows: list[tuple[bool, int]]) -> None:
    won, points = arrays(rows)
    asked = np.arange(-1.0, 9.0)
    found = chances_by_points(won, points, asked)
    assert (np.diff(found) >= -1e-12).all()
    assert ((found > 0) & (found < 1)).all()


def test_log_loss_and_reliability() -> None:
    won, chances = np.array([True, False]), np.array([0.8, 0.4])
    assert log_loss(won, chances) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    low, high = reliability(np.array([False, False, True, True]), np.array([0.1, 0.1, 0.9, 0.9]))
    assert (low.leads, low.predicted, low.observed) == (2, pytest.approx(0.1), 0)
    assert (high.leads, high.observed) == (2, 1)
