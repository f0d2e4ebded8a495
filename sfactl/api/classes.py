"""Cut the columns that a learner is handed into classes, so that every strategy names and counts values alike."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

DIGITS = 12
"""Borders between classes keep so many digits, as a model's JSON does."""


def edges_of(column: pa.ChunkedArray, classes: int) -> list[float] | None:
    """The borders between ``classes`` classes of numbers with about equally many leads; None for texts and yes/no."""
    import numpy as np
    import pyarrow as pa

    if not pa.types.is_floating(column.type):
        return None
    values = column.drop_null().to_numpy()
    values = values[~np.isnan(values)]
    if not len(values):
        return []
    # The lower of two neighbours, never a mean of them: a mean of infinities is no number.
    cuts = np.quantile(values, np.linspace(0, 1, classes + 1)[1:-1], method="lower")
    return sorted({float(f"{cut:.{DIGITS}g}") for cut in cuts if np.isfinite(cut)})


def coded(column: pa.ChunkedArray, edges: Sequence[float] | None) -> tuple[Any, list[str]]:
    """The place of each lead's value in the labels, −1 where it has none."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if edges is not None:
        values = pc.fill_null(column, float("nan")).to_numpy()
        codes = np.searchsorted(np.asarray(edges), values, side="left")
        return np.where(np.isnan(values), -1, codes), class_labels(edges)
    texts = pc.if_else(column, "yes", "no") if pa.types.is_boolean(column.type) else column
    encoded = pc.dictionary_encode(texts.cast(pa.string())).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, encoded.dictionary.to_pylist()


def class_labels(edges: Sequence[float]) -> list[str]:
    """The classes in words; each holds its upper border."""
    if not len(edges):
        return ["any number"]
    texts = [f"{edge:.{DIGITS}g}" for edge in edges]
    between = [f"above {low} to {high}" for low, high in pairwise(texts)]
    return [f"up to {texts[0]}", *between, f"above {texts[-1]}"]
