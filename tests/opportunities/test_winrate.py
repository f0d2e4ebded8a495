"""The Wilson interval against published figures, and rates of nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.opportunities.winrate import wilson, win_rate


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3 (score, without continuity correction).
        pytest.param(81, 263, 0.2553, 0.3662, id="81 of 263"),
        pytest.param(15, 148, 0.0624, 0.1605, id="15 of 148"),
        pytest.param(0, 20, 0.0, 0.1611, id="0 of 20"),
        pytest.param(1, 29, 0.0061, 0.1718, id="1 of 29"),
    ],
)
def test_the_interval_equals_published_tables(successes: int, trials: int, low: float, high: float) -> None:
    rate = wilson(successes, trials)
    assert rate.low == pytest.approx(low, abs=5e-5)
    assert rate.high == pytest.approx(high, abs=5e-5)


@given(trials=st.integers(1, 500), data=st.data())
def test_the_interval_holds_the_share_within_0_and_1(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    rate = wilson(successes, trials)
    assert rate.low is not None and rate.high is not None and rate.value is not None
    assert 0 <= rate.low <= rate.value <= rate.high <= 1
    mirrored = wilson(trials - successes, trials)
    assert mirrored.low == pytest.approx(1 - rate.high)


@settings(deadline=None, max_examples=50)
@given(trials=st.integers(1, 300), data=st.data())
def test_it_agrees_with_scipy(trials: int, data: st.DataObject) -> None:
    stats = pytest.importorskip("scipy.stats")
    successes = data.draw(st.integers(0, trials))
    expected = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    rate = wilson(successes, trials)
    assert (rate.low, rate.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_nothing_of_nothing_has_no_rate() -> None:
    assert wilson(0, 0).value is None
    rate = win_rate("mei", "all", won=0, lost=0, still_open=3)
    assert (rate.of_all.value, rate.of_closed.value) == (0.0, None)
    with pytest.raises(ValueError, match="3 of 2"):
        wilson(3, 2)
