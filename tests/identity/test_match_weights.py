"""The model finds what was planted, believes itself where there is little data, and merges nothing without reason."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.identity.comparison import Comparison, Level
from sfactl.identity.patterns import Counted, Frequency
from sfactl.identity.weights import falling, fit

LEVELS = (
    Level(name="same", cut=3, belief=0.75),
    Level(name="alike", cut=0.9, belief=0.15),
    Level(name="differs", cut=0, belief=0.10),
)
FIELDS = tuple(Comparison(name=f"f{i}", feature=f"f{i}", shows=(), score="", levels=LEVELS) for i in range(4))
SAME = np.array([[0.8, 0.15, 0.05], [0.6, 0.2, 0.2], [0.9, 0.05, 0.05], [0.7, 0.1, 0.2]])
CHANCE = np.array([[0.01, 0.02, 0.97], [0.05, 0.05, 0.9], [0.001, 0.004, 0.995], [0.02, 0.03, 0.95]])
PAIRS = 1_000_000.0


def planted(matches: float, only: Sequence[int] = (0, 1, 2, 3)) -> tuple[Counted, Counted]:
    """The patterns of all pairs, and of strangers alone, as the planted shares make them."""
    patterns = np.array(list(product((1, 2, 3), repeat=len(only))))
    same = np.prod([SAME[f, patterns[:, i] - 1] for i, f in enumerate(only)], axis=0) * matches
    chance = np.prod([CHANCE[f, patterns[:, i] - 1] for i, f in enumerate(only)], axis=0) * (PAIRS - matches)
    codes = np.arange(len(patterns))
    people = np.zeros(len(patterns), dtype=np.int64)
    both = Counted(codes=codes, levels=patterns, people=people, n=same + chance)
    return both, both


def test_planted_shares_are_found() -> None:
    compared, drawn = planted(2_000)
    model = fit(FIELDS, compared, drawn, {}, records=2000, pairs=PAIRS)
    assert model.expected == pytest.approx(2_000, rel=0.2)
    # A fifth of the belief stays in, so the shares are near the planted ones and not equal to them.
    assert np.allclose(model.same, SAME, atol=0.1)
    assert np.allclose(model.chance, CHANCE, atol=0.01)


def test_without_duplicates_none_are_expected() -> None:
    compared, drawn = planted(0)
    model = fit(FIELDS, compared, drawn, {}, records=2000, pairs=PAIRS)
    assert model.expected < 20
    assert model.prior < -14


def test_few_pairs_cannot_overthrow_the_belief() -> None:
    levels = np.array([[1, 1, 1, 1], [3, 3, 3, 3]])
    few = Counted(codes=np.arange(2), levels=levels, people=np.zeros(2, dtype=np.int64), n=np.array([2.0, 100.0]))
    model = fit(FIELDS, few, few, {}, records=15, pairs=105.0)
    assert all(0.8 < row[0] < 0.95 and row[2] > 0.05 for row in model.same)


def test_a_field_that_everybody_shares_proves_little() -> None:
    compared, drawn = planted(5_000)
    common = Frequency(filled=2000, possible=PAIRS, agreeing=0.9 * PAIRS, spread=((1900, 1), (1, 100)))
    fields = (
        *FIELDS[:3],
        Comparison(
            name="f3",
            feature="f3",
            shows=(),
            score="",
            levels=(Level(name="same", cut=3, belief=0.7, count="f3"), *LEVELS[1:]),
        ),
    )
    model = fit(fields, compared, drawn, {"f3": common}, records=2000, pairs=PAIRS)
    assert model.bits[3][0] < 1


def test_a_weaker_level_is_never_worth_more() -> None:
    compared, drawn = planted(20_000)
    model = fit(FIELDS, compared, drawn, {}, records=2000, pairs=PAIRS)
    for row in model.bits:
        assert list(row) == sorted(row, reverse=True)
        assert row[-1] <= 0


@given(st.lists(st.tuples(st.floats(-10, 20), st.floats(0.1, 100)), min_size=1, max_size=6))
@settings(max_examples=50)
def test_pooled_values_fall_and_keep_their_mean(rows: list[tuple[float, float]]) -> None:
    bits, worth = (np.array(c) for c in zip(*rows))
    made = falling(bits, worth)
    assert (np.diff(made) <= 1e-9).all()
    assert float((made * worth).sum()) == pytest.approx(float((bits * worth).sum()), abs=1e-6)
