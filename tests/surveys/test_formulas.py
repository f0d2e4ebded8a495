"""The figures of surveys against published numbers and against numpy and scipy, which know nothing of ours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sfactl.config.surveys import Kind
from sfactl.surveys.formulas import Counts, Figure, ces, change, csat, figure, nps


def counts(scores: Sequence[int], high: int = 10) -> Counts:
    """What the database counts."""
    return Counts(
        answers=len(scores),
        total=sum(scores),
        squares=sum(s * s for s in scores),
        tops=sum(s > high - 2 for s in scores),
        promoters=sum(s >= 9 for s in scores),
        detractors=sum(s <= 6 for s in scores),
    )


def of(tops: int, answers: int) -> Figure:
    return csat(Counts(answers=answers, total=0, squares=0, tops=tops, promoters=0, detractors=0))


# Newcombe, R. G. (1998), Two-sided confidence intervals for the single proportion, Statistics in Medicine 17, table I, method 3.
@pytest.mark.parametrize(
    ("tops", "answers", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_satisfaction_has_the_published_interval(tops: int, answers: int, low: float, high: float) -> None:
    found = of(tops, answers)
    assert found.value == tops / answers
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


# Newcombe, R. G. (1998), Interval estimation for the difference between independent proportions, Statistics in Medicine 17,
# table II, method 10, examples (a), (b), (d) and (f).
@pytest.mark.parametrize(
    ("after", "before", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 10), -0.2775, 0.2775),
    ],
    ids=["56/70-48/80", "9/10-3/10", "5/56-0/29", "0/10-0/10"],
)
def test_a_change_has_the_published_interval(
    after: tuple[int, int], before: tuple[int, int], low: float, high: float
) -> None:
    moved, _ = change(of(*before), of(*after))
    assert (moved.low, moved.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        ((48, 80), (56, 70), "up"),
        ((56, 70), (48, 80), "down"),
        ((5, 10), (6, 10), "no clear change"),
        (None, (6, 10), "too few answers"),
        ((6, 10), None, "too few answers"),
    ],
)
def test_a_direction_is_named_only_where_it_is_more_than_chance(
    before: tuple[int, int] | None, after: tuple[int, int] | None, direction: str
) -> None:
    figures = [of(*one) if one else Figure() for one in (before, after)]
    assert change(*figures)[1] == direction


def test_promoters_less_detractors() -> None:
    found = nps(counts([10] * 50 + [8] * 30 + [3] * 20))
    assert found.value == pytest.approx(30.0)
    # sqrt((0.5 + 0.2 - 0.3²) / 100) = 0.0781; 1.96 of it are 15.3 points.
    assert (found.low, found.high) == (pytest.approx(14.69, abs=0.01), pytest.approx(45.31, abs=0.01))


@pytest.mark.parametrize("score", range(11))
def test_each_answer_is_of_one_kind(score: int) -> None:
    assert nps(counts([score])).value == (100 if score >= 9 else -100 if score <= 6 else 0)


def test_where_all_answer_alike_nothing_is_claimed_of_the_spread() -> None:
    assert nps(counts([10] * 40)) == Figure(value=100, mean=10)
    assert ces(counts([7] * 40)) == Figure(value=7, mean=7)
    assert ces(counts([7])) == Figure(value=7, mean=7)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10), min_size=2, max_size=200))
def test_figures_agree_with_numpy_and_scipy(scores: list[int]) -> None:
    sign = np.select([np.array(scores) >= 9, np.array(scores) <= 6], [1, -1], 0)
    found, error = nps(counts(scores)), float(np.std(sign)) / len(scores) ** 0.5
    assert found.value == pytest.approx(100 * np.mean(sign))
    if error:
        assert found.low == pytest.approx(max(100 * (np.mean(sign) - 1.959964 * error), -100), abs=1e-3)
    effort = ces(counts(scores))
    assert effort.value == pytest.approx(np.mean(scores))
    if len(set(scores)) > 1:
        low, high = stats.t.interval(0.95, len(scores) - 1, np.mean(scores), stats.sem(scores))
        assert (effort.low, effort.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize("kind", ["csat", "nps", "ces"])
def test_fewer_answers_than_the_minimum_give_no_figure_and_no_mean(kind: Kind) -> None:
    assert figure(kind, counts([5, 6, 7, 9]), minimum=5) == Figure()
    assert figure(kind, counts([5, 6, 7, 9, 10]), minimum=5).mean == pytest.approx(7.4)
    assert figure(kind, counts([]), minimum=1) == Figure()
