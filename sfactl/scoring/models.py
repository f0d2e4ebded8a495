"""A learned model as it is stored: what it was trained on, its figures, its state, and its parameters as JSON.

The same data, settings and seed give the same text to the last byte, and the same hash.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sfactl.api.errors import DataError
from sfactl.scoring.splitting import Split

DIGITS = 12
"""Floats keep so many digits: fewer than a double has, because the last ones differ from machine to machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A feature as a model knows it: ``measure`` is its expression, None for a field; ``type`` text, number, yes/no."""

    name: str
    type: str
    measure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One training of one score."""

    score: str
    version: int
    state: str
    trained_at: datetime
    seq: int
    strategy: str
    made_by: str
    hash: str
    leads: int
    won: int
    first_at: datetime | None
    last_at: datetime | None
    split: Split
    features: tuple[Input, ...]
    refused: tuple[Mapping[str, str], ...]
    allowed: tuple[Mapping[str, str], ...]
    metrics: Mapping[str, Any]
    parameters: Mapping[str, Any]
    promoted_at: datetime | None = None
    promoted_by: str | None = None
    forced: bool | None = None
    reason: str | None = None

    @property
    def label(self) -> str:
        """The model in words."""
        return f"model {self.version} of {self.trained_at:%Y-%m-%d}"

    def row(self) -> dict[str, Any]:
        """The row of the dataset ``models``."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        since = self.split.since.isoformat() if self.split.since else None
        split = {"how": self.split.how, "share": self.split.share, "seed": self.split.seed, "since": since}
        texts = {
            "split": split,
            "features": [asdict(one) for one in self.features],
            "refused": self.refused,
            "allowed": self.allowed,
            "metrics": self.metrics,
            "parameters": self.parameters,
        }
        return plain | {name: canonical(value) for name, value in texts.items()}


def model_of(row: Mapping[str, Any]) -> Model:
    """The model in a row of the dataset. Raises `DataError` where its JSON is damaged."""
    values = dict(row)
    try:
        for name in ("split", "features", "refused", "allowed", "metrics", "parameters"):
            values[name] = json.loads(values[name])
        split = values["split"]
        since = datetime.fromisoformat(split["since"]) if split["since"] else None
        values["split"] = Split(how=split["how"], share=split["share"], seed=split["seed"], since=since)
        values["features"] = tuple(Input(**one) for one in values["features"])
        values["refused"], values["allowed"] = tuple(values["refused"]), tuple(values["allowed"])
        if not isinstance(values["parameters"], dict):
            raise TypeError("no object")
        return Model(**values)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DataError(
            f"model {row.get('version')} of score {row.get('score')!r} is damaged: its JSON cannot be read",
            hint=f"Train anew: sfactl score train {row.get('score')}",
        ) from None


def canonical(value: Any) -> str:
    """``value`` as JSON with sorted keys, floats cut to twelve digits, and no number that JSON does not know."""
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def fingerprint(*parts: Any) -> str:
    """A short hash of the canonical JSON of ``parts``."""
    return blake2b("\n".join(map(canonical, parts)).encode(), digest_size=8).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise DataError(f"the strategy learned {value}, which is no number")
        return float(f"{value:.{DIGITS}g}")
    return value
