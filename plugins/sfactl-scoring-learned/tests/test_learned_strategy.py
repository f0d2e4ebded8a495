"""Logistic regression against published coefficients and closed forms, with odd data, and its parts."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sfactl_scoring_learned import calibration
from sfactl_scoring_learned.settings import LearnedSettings
from sfactl_scoring_learned.strategy import LearnedStrategy

from sfactl.api.errors import ConfigError
from sfactl.testkit.learning_suite import LearningSuite

PLAIN = {"regularisation": 0.0, "numbers": "linear", "calibration": "none", "rare": 1}


def strategy(**options: Any) -> LearnedStrategy:
    return LearnedStrategy(LearnedSettings(**options), None)  # type: ignore[arg-type]


def trained(table: pa.Table, features: list[str], **options: Any) -> Mapping[str, Any]:
    found = strategy(**options).train(table, features, target="won", seed=0)
    read: Mapping[str, Any] = json.loads(json.dumps(found, allow_nan=False))
    return read


def chances(table: pa.Table, parameters: Mapping[str, Any]) -> np.ndarray:
    answer = strategy().score(table, parameters)
    ids = answer.column("lead_id").to_numpy()
    return np.bincount(ids, weights=answer.column("points").to_numpy())


def leads(n: int, seed: int = 0, **columns: Any) -> pa.Table:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=n)
    won = draw.random(n) < 1 / (1 + np.exp(-(x - 0.5)))
    return pa.table({"lead_id": np.arange(n), "won": won, "x": x, **columns})


def test_the_published_coefficients_of_hours_of_study() -> None:
    """The worked example of Wikipedia's "Logistic regression": −4.0777 and 1.5046 for twenty students."""
    hours = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 4, 4.25, 4.5, 4.75, 5, 5.5]
    passed = [0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1]
    table = pa.table({"lead_id": range(20), "hours": pa.array(hours, pa.float64()), "won": [p == 1 for p in passed]})
    found = trained(table, ["hours"], **PLAIN)
    weight = found["features"][0]["weight"]
    assert weight == pytest.approx(1.5046, abs=1e-4)
    assert found["intercept"] - weight * found["features"][0]["mean"] == pytest.approx(-4.0777, abs=1e-4)
    two_hours = pa.table({"lead_id": [0], "hours": [2.0]})
    assert chances(two_hours, found)[0] == pytest.approx(25.57, abs=0.01)  # the article rounds to 0.26


def test_the_coefficient_of_a_four_fold_table_is_its_log_odds_ratio() -> None:
    rows = [("a", True)] * 30 + [("a", False)] * 10 + [("b", True)] * 5 + [("b", False)] * 20
    table = pa.table({"lead_id": range(65), "f": [v for v, _ in rows], "won": [w for _, w in rows]})
    found = trained(table, ["f"], **PLAIN)
    weights = found["features"][0]["weights"]
    assert weights["a"] - weights["b"] == pytest.approx(math.log(30 * 20 / (10 * 5)), abs=1e-4)
    assert chances(table, found)[[0, 64]] == pytest.approx([75, 20], abs=1e-3)


@pytest.mark.parametrize("way", ["platt", "isotonic"])
def test_calibration_brings_chances_to_what_happens(way: str) -> None:
    """Without a penalty, forty columns of noise make too bold a model; on new leads calibration makes it honest."""
    noise = {f"n{i}": np.random.default_rng(i).normal(size=1600) for i in range(40)}
    table = leads(1600, **noise)
    fit, new = table.slice(0, 400), table.slice(400)
    bold, honest = (
        chances(new, trained(fit, ["x", *noise], **{**PLAIN, "calibration": how}))[400:] / 100 for how in ("none", way)
    )
    won = new.column("won").to_numpy(zero_copy_only=False)
    assert ((honest - won) ** 2).mean() < ((bold - won) ** 2).mean()


def test_which_calibration_is_taken_depends_on_how_many_leads_there_are() -> None:
    def of(won: int, lost: int) -> str:
        return calibration.chosen("auto", np.array([True] * won + [False] * lost))

    assert [of(24, 900), of(25, 900), of(499, 900), of(500, 500)] == ["none", "platt", "platt", "isotonic"]


def test_the_isotonic_way_keeps_the_ranking() -> None:
    draw = np.random.default_rng(3)
    z = draw.normal(size=2000)
    won = draw.random(2000) < 1 / (1 + np.exp(-2 * z))
    plan = calibration.fitted("isotonic", z, won)
    asked = np.linspace(z.min(), z.max(), 500)
    found = asked + calibration.correction(plan, asked)
    assert (np.diff(found) > 0).mean() > 0.8
    assert (np.diff(found) >= -1e-9).all()


ODD: dict[str, Any] = {
    "infinities": np.where(np.arange(300) % 7 == 0, np.inf, np.where(np.arange(300) % 11 == 0, -np.inf, 1.5)),
    "gaps": pa.array([None if n % 3 else float(n) for n in range(300)]),
    "huge": np.arange(300) * 1e300,
    "nothing but gaps and one value": pa.array([None if n % 2 else 7.0 for n in range(300)]),
    "unicode": pa.array(["雷射"[n % 2] + "\u200b" * (n % 3) for n in range(300)]),
    "a text each": pa.array([f"t{n}" for n in range(300)]),
    "yes/no with gaps": pa.array([None if n % 5 == 0 else n % 2 == 0 for n in range(300)]),
}


@pytest.mark.parametrize("numbers", ["classes", "linear"])
@pytest.mark.parametrize("column", ODD.values(), ids=ODD.keys())
def test_odd_columns_make_finite_chances(column: Any, numbers: str) -> None:
    table = leads(300, odd=column)
    found = trained(table, ["x", "odd"], numbers=numbers, calibration="none" if numbers == "linear" else "platt")
    new = pa.table(
        {
            "lead_id": [0, 1],
            "x": [0.0, None],
            "odd": pa.array([None, table.column("odd")[3].as_py()], table.schema.field("odd").type),
        }
    )
    for one in (chances(table, found), chances(new, found)):
        assert np.isfinite(one).all()
        assert ((one > 0) & (one < 100)).all()


def test_ten_thousand_categories_stay_small() -> None:
    table = leads(10_000, category=pa.array([f"c{n}" for n in range(10_000)]))
    found = trained(table, ["x", "category"], rare=1, calibration="none")
    assert len(found["features"][1]["weights"]) <= 51
    assert len(json.dumps(found)) < 10_000


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"x": st.one_of(st.none(), st.floats(allow_nan=False)), "source": st.sampled_from(["a", "b", "new", None])}
        ),
        min_size=1,
        max_size=20,
    )
)
def test_each_lead_is_scored_by_its_own_row(rows: list[dict[str, Any]]) -> None:
    parameters = learned_once()
    schema = pa.schema([("lead_id", pa.int64()), ("x", pa.float64()), ("source", pa.string())])
    table = pa.Table.from_pylist([{"lead_id": n, **row} for n, row in enumerate(rows)], schema=schema)
    together = chances(table, parameters)
    for n in range(len(rows)):
        alone = strategy().score(table.slice(n, 1), parameters).column("points").to_numpy()
        assert sum(alone) == pytest.approx(together[n], abs=1e-9)


@functools.cache
def learned_once() -> Mapping[str, Any]:
    return trained(leads(400, source=pa.array(["a", "b"] * 200)), ["x", "source"])


def test_parameters_of_another_format_are_refused() -> None:
    with pytest.raises(ConfigError, match="format 2"):
        strategy().score(pa.table({"lead_id": [1]}), {"format": 2})


@pytest.mark.parametrize("wrong", [{"regularisation": -1.0}, {"classes": 1}, {"rare": 0}])
def test_settings_without_meaning_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LearnedSettings(**wrong)


class TestConformance(LearningSuite):
    """The suite that every strategy that learns passes."""

    plugin: ClassVar[str] = "sfactl_scoring_learned"
    offer: ClassVar[str] = "learned"
