"""The Wilson interval against published and independent values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfactl.insight.share import share, wilson

# Newcombe, R. G. (1998), Statistics in Medicine 17, 857-872, table I, method 3 (the score interval).
PUBLISHED = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("hits", "of", "low", "high"), PUBLISHED, ids=[f"{h} of {n}" for h, n, _, _ in PUBLISHED])
def test_interval_is_the_published_one(hits: int, of: int, low: float, high: float) -> None:
    assert wilson(hits, of) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10_000_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_interval_holds_the_rate_and_stays_within_the_certain(pair: tuple[int, int]) -> None:
    low, high = wilson(*pair)
    assert 0 <= low <= pair[0] / pair[1] <= high <= 1
    # What is known of the hits is known of the misses.
    assert wilson(pair[1] - pair[0], pair[1]) == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_nothing_observed_says_nothing() -> None:
    assert share(0, 0).rate is None
    assert wilson(0, 0) == (0.0, 1.0)


def test_more_than_all_is_refused() -> None:
    with pytest.raises(ValueError, match="not a share"):
        wilson(3, 2)
