"""Naive Bayes against the textbook, computed by hand, and the parts that add up to it."""

from __future__ import annotations

import json
import math
import random
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.api.classes import class_labels, coded, edges_of
from sfactl.api.errors import ConfigError
from sfactl.api.odds import Contribution, chance, reasons
from sfactl.scoring.frequency import FrequencySettings, FrequencyStrategy
from sfactl.scoring.models import canonical
from sfactl.scoring.parts import lead_totals, rounded_parts, total_units


def strategy(**options: Any) -> FrequencyStrategy:
    return FrequencyStrategy(FrequencySettings(**options), None)  # type: ignore[arg-type]


def textbook(rows: list[dict[str, Any]], lead: dict[str, Any], extra: float = 0.1) -> float:
    """Odoo's formula, value by value, in percent."""
    won = [row for row in rows if row["won"]]
    lost = [row for row in rows if not row["won"]]
    total = len(rows) + 2 * extra
    score_won, score_lost = (len(won) + extra) / total, (len(lost) + extra) / total
    for name, value in lead.items():
        values = {row[name] for row in rows if row[name] is not None}
        if value not in values:
            continue
        shares = []
        for group in (won, lost):
            counts = {v: sum(1 for row in group if row[name] == v) + extra for v in values}
            shares.append(counts[value] / sum(counts.values()))
        score_won, score_lost = score_won * shares[0], score_lost * shares[1]
    return 100 * score_won / (score_won + score_lost)


def made_up(seed: int, n: int = 120) -> list[dict[str, Any]]:
    draw = random.Random(seed)
    rows = []
    for _ in range(n):
        won = draw.random() < 0.4
        country = draw.choice(["TW", "JP", "德國", None] if won else ["DE", "US", "JP", "TW", None])
        rows.append(
            {"won": won, "country": country, "source": draw.choice("abc"), "phone": draw.random() < 0.5 + won / 3}
        )
    return rows


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_textbook_to_a_hundredth(seed: int) -> None:
    rows = made_up(seed)
    features = ["country", "source", "phone"]
    parameters = json.loads(canonical(strategy().train(pa.Table.from_pylist(rows), features, target="won", seed=0)))
    asked = [
        {"country": country, "source": source, "phone": phone}
        for country in ("TW", "JP", "nowhere", None)
        for source in "abz"
        for phone in (True, False, None)
    ]
    table = pa.Table.from_pylist([{"lead_id": n, **lead} for n, lead in enumerate(asked)])
    answer = strategy().score(table, parameters)
    ids, points = lead_totals(answer)
    shown = total_units(points, 100) / 100
    for n in ids:
        known = {name: value for name, value in asked[n].items() if value is not None}
        assert shown[n] == pytest.approx(textbook(rows, known), abs=0.01)


def test_one_won_lead_is_not_stuck_at_a_stale_rate() -> None:
    """With one won and one lost lead, both the same, the chance is a half: counts come from the data at hand."""
    table = pa.table({"lead_id": [1, 2], "won": [True, False], "country": ["TW", "TW"]})
    parameters = strategy().train(table, ["country"], target="won", seed=0)
    assert lead_totals(strategy().score(table, parameters))[1] == pytest.approx([50, 50])


def test_a_chance_is_never_0_or_100() -> None:
    n = 4000
    names = [f"f{i}" for i in range(8)]
    columns = {name: ["yes"] * n + ["no"] * n for name in names}
    table = pa.table({"lead_id": range(2 * n), "won": [True] * n + [False] * n, **columns})
    parameters = strategy().train(table, names, target="won", seed=0)
    rows = strategy().score(table.slice(0, 1), parameters)
    parts = list(zip(*(rows.column(c).to_pylist() for c in ("rule", "points", "detail")), strict=True))
    assert sum(r.points for r in rounded_parts(parts, 100)) == Decimal("99.99")
    assert sum(r.points for r in rounded_parts(parts, 1)) == 99
    assert total_units(lead_totals(rows)[1], 100)[0] == 9999


NUMBERS = [1.0, 2.0, 2.0, 3.0, None, math.inf, -math.inf, 5.0, math.nan]


def test_numbers_fall_into_classes_and_odd_ones_do_not_break_them() -> None:
    column = pa.chunked_array([pa.array(NUMBERS, pa.float64())])
    edges = edges_of(column, 3) or []
    assert edges == [2.0, 3.0]
    codes, labels = coded(column, edges)
    assert len(labels) == len(edges) + 1
    assert codes[4] == codes[8] == -1
    assert codes[5] == len(edges)
    assert codes[6] == 0
    assert class_labels([]) == ["any number"]


def test_rare_values_can_be_left_out() -> None:
    countries = ["TW"] * 6 + ["JP"] * 2
    table = pa.table({"lead_id": range(8), "won": [True, False] * 4, "country": countries})
    found = strategy(rare=3).train(table, ["country"], target="won", seed=0)
    assert list(found["features"][0]["values"]) == ["TW"]
    assert strategy().score(table.slice(6), found).column("rule").to_pylist() == ["base rate"] * 2


def test_another_format_is_refused() -> None:
    with pytest.raises(ConfigError, match="format 9"):
        strategy().score(pa.table({"lead_id": [1]}), {"format": 9})


@pytest.mark.parametrize("wrong", [{"smoothing": 0.0}, {"classes": 1}, {"rare": 0}])
def test_settings_without_meaning_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        FrequencySettings(**wrong)


ODDS = st.floats(-30, 30, allow_nan=False)


@settings(max_examples=100)
@given(base=st.floats(-8, 8), given_odds=st.lists(ODDS, max_size=12), unit=st.sampled_from([1, 10, 100, 10_000]))
def test_parts_add_up_to_the_chance(base: float, given_odds: list[float], unit: int) -> None:
    parts = [Contribution(rule=f"r{n}", values=np.array([odds])) for n, odds in enumerate(given_odds)]
    answer = reasons(pa.array([7]), base, "base", parts)
    exact = 100 * float(chance(np.array([base + sum(given_odds)]))[0])
    points = answer.column("points").to_pylist()
    assert sum(points) == pytest.approx(exact, abs=1e-7)
    assert all(p * o >= 0 for p, o in zip(points[1:], [o for o in given_odds if o], strict=True))
    rows = list(zip(*(answer.column(c).to_pylist() for c in ("rule", "points", "detail")), strict=True))
    whole = sum((r.points for r in rounded_parts(rows, unit)), Decimal(0))
    assert whole * unit == int(total_units(lead_totals(answer)[1], unit)[0])
    assert 0 < whole < 100
    nearest = min(max(exact, 1 / unit), 100 - 1 / unit)
    assert float(whole) == pytest.approx(nearest, abs=0.5 / unit + 1e-6)
