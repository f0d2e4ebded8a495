"""Turn contributions to the log-odds of an outcome into points that add up to its chance in percent.

For learning strategies: a model that is additive in log-odds keeps its exactness on the scale that people read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one feature adds to the log-odds of each lead.

    ``values`` has one number a lead, ``given`` tells the leads for which there is a reason to show (None: all with a
    number other than 0), ``details`` has one text a lead.
    """

    rule: str
    values: Numbers
    details: pa.Array | None = None
    given: Any = None


def chance(log_odds: Numbers) -> Numbers:
    """The chance between 0 and 1 that belongs to ``log_odds``."""
    import numpy as np

    half: Numbers = np.tanh(np.asarray(log_odds, dtype=np.float64) / 2)
    return (1 + half) / 2


def log_odds(share: float) -> float:
    """The log-odds of a chance between 0 and 1."""
    import math

    return math.log(share / (1 - share))


def points_factor(base: float, total: Numbers) -> Numbers:
    """By what each contribution is multiplied, so that base and parts add up to the chance of ``base + total``.

    This is the Aumann-Shapley attribution along the straight way from the base to the total: c · (σ(b + s) − σ(b)) / s
    for a contribution c of a sum s (Aumann and Shapley, "Values of Non-Atomic Games", 1974). The factor is above 0, so
    every part keeps its sign, and equal contributions get equal points.
    """
    import numpy as np

    small = np.abs(total) < 1e-6
    safe = np.where(small, 1.0, total)
    middle = chance(base + total / 2)
    slope: Numbers = np.where(
        small, middle * (1 - middle), (chance(base + total) - chance(np.full_like(total, base))) / safe
    )
    return 100 * slope


def reasons(lead_ids: pa.Array, base: float, base_detail: str, contributions: Sequence[Contribution]) -> pa.Table:
    """The answer of a learning strategy: rows (lead_id, rule, points, detail), of which the first is the base rate.

    ``base`` is the log-odds before anything is known of a lead.
    """
    import numpy as np
    import pyarrow as pa

    count = len(lead_ids)
    total = np.zeros(count)
    for one in contributions:
        total = total + one.values
    factor = points_factor(base, total)
    ids = lead_ids.combine_chunks() if isinstance(lead_ids, pa.ChunkedArray) else lead_ids
    start = 100 * float(chance(np.array([base]))[0])
    parts = [_rows(ids, "base rate", np.full(count, start), pa.repeat(pa.scalar(base_detail), count))]
    for one in contributions:
        shown = np.flatnonzero(one.values != 0 if one.given is None else one.given)
        details = one.details if one.details is not None else pa.nulls(count, pa.string())
        chosen = pa.array(shown)
        parts.append(_rows(ids.take(chosen), one.rule, (one.values * factor)[shown], details.take(chosen)))
    return pa.concat_tables(parts)


def _rows(ids: pa.Array, rule: str, points: Numbers, details: pa.Array) -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {
            "lead_id": ids.cast(pa.int64()),
            "rule": pa.repeat(pa.scalar(rule), len(ids)),
            "points": pa.array(points, pa.float64()),
            "detail": details.cast(pa.string()),
        }
    )
