"""Take an extractor's answer apart, strictly: what nobody asked, declared or could mean is refused. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import PluginError

if TYPE_CHECKING:
    import pyarrow as pa

NEEDED = ("utterance_id", "label", "confidence")


@dataclass(slots=True, kw_only=True)
class Answer:
    """What was found in one text; ``error`` where no answer was got."""

    labels: dict[str, float] = field(default_factory=dict)
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    error: str | None = None


def read_answers(
    table: pa.Table, asked: Collection[str], labels: Collection[str]
) -> tuple[dict[str, Answer], Counter[str]]:
    """The answers by utterance, one for each of ``asked``, and what was refused of them, counted by reason.

    A text for which anything is refused is not kept, so that it is asked again. Raises `PluginError` for a table that
    lacks the columns that every answer has.
    """
    names = list(getattr(table, "column_names", ()))
    if lacks := [name for name in NEEDED if name not in names]:
        raise PluginError(f"the answer lacks the column {', '.join(lacks)}")
    answers = {key: Answer() for key in asked}
    refused: Counter[str] = Counter()
    for row in table.to_pylist():
        key = row["utterance_id"]
        if key not in answers:
            refused["answered about a text that nobody asked about"] += 1
            continue
        if wrong := _add(answers[key], row, labels):
            refused[wrong] += 1
            answers[key].error = wrong
    return answers, refused


def _add(answer: Answer, row: Mapping[str, Any], labels: Collection[str]) -> str | None:
    """Add one row to ``answer``; tells what is wrong with it."""
    answer.model = row.get("model") or answer.model
    for name in ("input_tokens", "output_tokens", "cost"):
        value = row.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
            setattr(answer, name, (getattr(answer, name) or 0) + value)
    if row.get("error"):
        answer.error = str(row["error"])
        return None
    label, confidence = row["label"], row["confidence"]
    if label is None:
        return None
    if label not in labels:
        return f"answered the label {label!r}, which intents/ does not declare"
    if not isinstance(confidence, (int, float)) or isinstance(confidence, bool) or not math.isfinite(confidence):
        return f"answered {label!r} without a confidence"
    if not 0 <= confidence <= 1:
        return f"answered {label!r} with the confidence {confidence:g}, which is not between 0 and 1"
    answer.labels[label] = max(confidence, answer.labels.get(label, 0.0))
    return None
