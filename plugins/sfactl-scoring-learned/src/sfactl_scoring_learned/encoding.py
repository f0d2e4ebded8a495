"""Turn a feature into columns of a regression, and its coefficients into what each value contributes.

A class of values (a text, yes or no, a range of numbers, nothing at all) is a column of ones; the commonest class has
none, so that it is what the others are compared with. A linear number is a column of its own, with one more for leads
that lack it. What a feature contributes is told against its mean over the training, so that the base is the average
lead and not one of the commonest values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sfactl.api.classes import coded, edges_of
from sfactl.api.odds import Contribution
from sfactl_scoring_learned.settings import LearnedSettings

MISSING, OTHER = "(nothing)", "(other)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A feature ready for the regression: its columns (dense, one row a lead), and how values became columns.

    ``plan`` is the JSON object that `contribution` needs, still without weights.
    """

    columns: Any
    plan: dict[str, Any]


def encode(name: str, column: pa.ChunkedArray, settings: LearnedSettings) -> Encoded:
    """The columns of one feature."""
    if pa.types.is_floating(column.type) and settings.numbers == "linear":
        return _linear(name, column)
    edges = edges_of(column, settings.classes)
    codes, labels = coded(column, edges)
    leads = np.bincount(codes + 1, minlength=len(labels) + 1)
    order = sorted(range(len(labels)), key=lambda n: (-leads[n + 1], labels[n]))
    if edges is None:
        kept = [n for n in order if leads[n + 1] >= settings.rare][: settings.most_values]
    else:
        kept = [n for n in order if leads[n + 1]]
    names = [labels[n] for n in kept]
    places = _places(codes, labels, names)
    counts = np.bincount(places, minlength=len(names) + 2)
    present = [place for place in range(len(names) + 2) if counts[place]]
    reference = max(present, key=lambda place: (counts[place], -place))
    shown = [place for place in present if place != reference]
    columns = (places[:, None] == np.array(shown, dtype=np.int64)[None, :]).astype(np.float64)
    every = [*names, OTHER, MISSING]
    plan = {
        "kind": "classes",
        "name": name,
        "edges": edges,
        "classes": [every[place] for place in shown],
        "reference": every[reference],
    }
    return Encoded(columns=columns, plan=plan)


def _linear(name: str, column: pa.ChunkedArray) -> Encoded:
    values, missing = _numbers(column)
    known = values[~missing]
    finite = known[np.isfinite(known)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    values = np.clip(values, low, high)
    # In units of the greatest value, so that squares of huge numbers stay finite.
    unit = max(abs(low), abs(high)) or 1.0
    scaled = values[~missing] / unit
    mean = float(scaled.mean()) * unit if len(scaled) else 0.0
    spread = (float(scaled.std()) * unit if len(scaled) else 0.0) or 1.0
    own = np.where(missing, 0.0, (values - mean) / spread)
    columns = np.column_stack([own, missing.astype(np.float64)]) if missing.any() else own[:, None]
    plan = {"kind": "linear", "name": name, "mean": mean, "spread": spread, "low": low, "high": high}
    return Encoded(columns=columns, plan=plan)


def weighted(encoded: Encoded, weights: Sequence[float]) -> tuple[dict[str, Any], float]:
    """The plan with its weights, and the mean contribution that goes to the base."""
    plan = dict(encoded.plan)
    mean = float(encoded.columns.mean(axis=0) @ np.asarray(weights)) if len(weights) else 0.0
    if plan["kind"] == "linear":
        plan["weight"] = float(weights[0]) / plan["spread"]
        plan["missing"] = float(weights[1]) if len(weights) > 1 else 0.0
    else:
        found = dict(zip(plan.pop("classes"), map(float, weights), strict=True))
        plan["weights"] = found | {plan.pop("reference"): 0.0}
    return {**plan, "centre": mean}, mean


def contribution(plan: Mapping[str, Any], column: pa.ChunkedArray, scale: float) -> Contribution:
    """What each lead's value adds to the log-odds, times ``scale``. A value never seen counts like a rare one."""
    if plan["kind"] == "linear":
        return _linear_contribution(plan, column, scale)
    codes, labels = coded(column, plan["edges"])
    weights = plan["weights"]
    names = [name for name in weights if name not in (OTHER, MISSING)]
    places = _places(codes, labels, names)
    # Where no rare value, or no gap, was seen in training, nothing is known about one: it counts as average.
    odds = [weights[name] for name in names] + [weights.get(one, plan["centre"]) for one in (OTHER, MISSING)]
    values = (np.array(odds) - plan["centre"])[places] * scale
    texts = pa.array([*names, OTHER, MISSING], pa.string()).take(pa.array(places))
    if plan["edges"] is None:
        own = pc.if_else(column, "yes", "no") if pa.types.is_boolean(column.type) else column
        rare = pa.array(places == len(names))
        texts = pc.if_else(rare, pc.binary_join_element_wise(own.cast(pa.string()).combine_chunks(), OTHER, " "), texts)
    return Contribution(rule=plan["name"], values=values, details=_one(texts))


def _linear_contribution(plan: Mapping[str, Any], column: pa.ChunkedArray, scale: float) -> Contribution:
    values, missing = _numbers(column)
    values = np.clip(values, plan["low"], plan["high"])
    odds = np.where(missing, plan["missing"], (values - plan["mean"]) * plan["weight"]) - plan["centre"]
    texts = pc.fill_null(column.cast(pa.string()), MISSING)
    return Contribution(rule=plan["name"], values=odds * scale, details=_one(texts))


def _places(codes: Any, labels: Sequence[str], names: Sequence[str]) -> Any:
    """For each lead the place of its value in ``names``; then comes every other value, then none at all."""
    known = {name: place for place, name in enumerate(names)}
    table = np.array([len(names) + 1, *(known.get(label, len(names)) for label in labels)], dtype=np.int64)
    return table[codes + 1]


def _numbers(column: pa.ChunkedArray) -> tuple[Any, Any]:
    values = pc.fill_null(column, float("nan")).to_numpy()
    missing = np.isnan(values)
    return np.where(missing, 0.0, values), missing


def _one(texts: Any) -> pa.Array:
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
