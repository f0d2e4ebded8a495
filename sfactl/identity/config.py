"""What ``identity.toml`` may say: which fields count and how, from what probability on, and how pairs are found.

The file may be absent: the defaults are meant for people, companies and plain titles alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from sfactl.config.objects import read_object

FILE = "identity.toml"

Kind = Literal["code", "date", "number", "year", "word", "text"]
"""How a field's values are compared: codes exactly, dates by digits, words by letters, texts by rare words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSettings:
    """Thresholds are probabilities: ``threshold`` for merging, ``review`` for looking at, and ``link`` for merging
    between two sources without duplicates of their own, where rivals are weighed and a mistake stays alone.

    ``fields`` (empty: chosen from the data) and ``ignore`` name columns.

    ``kinds`` says of a column how its values are compared, where the data would mislead.
    """

    threshold: float = 0.9
    link: float = 0.7
    review: float = 0.4
    fields: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (0 < self.review <= self.threshold < 1 and self.review <= self.link < 1):
            raise ValueError("thresholds must be 0 < review <= threshold < 1, and link likewise")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSettings:
    """``max_pairs`` bounds how many pairs are compared (0: by the number of records).

    ``keys`` are further lists of columns; records that agree in all columns of a list are compared.
    """

    max_pairs: int = 0
    keys: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        if self.max_pairs < 0 or any(not key for key in self.keys):
            raise ValueError("max_pairs is not below 0, and no list of keys is empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityConfig:
    """The whole file. ``survivorship`` is read where records are merged."""

    match: MatchSettings = field(default_factory=MatchSettings)
    blocking: BlockSettings = field(default_factory=BlockSettings)
    survivorship: Mapping[str, Any] = field(default_factory=dict)


def read_config(folder: Path) -> IdentityConfig:
    """The workspace's ``identity.toml``, or the defaults. Raises `ConfigError`."""
    path = folder / FILE
    return read_object(IdentityConfig, path) if path.is_file() else IdentityConfig()


def fingerprint(match: MatchSettings, blocking: BlockSettings, *more: str) -> str:
    """A hash of all that decides which pairs are found."""
    said = json.dumps([asdict(match), asdict(blocking), more], sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()
