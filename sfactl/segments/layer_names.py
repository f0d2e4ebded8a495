"""Which layers there are, by name alone: light, because every build of segments asks."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

FOLDER = "layers"

Kind = Literal["rfm", "rfa", "lifecycle", "preference"]
KINDS: tuple[Kind, ...] = ("rfm", "rfa", "lifecycle", "preference")


def layer_names(folder: Path) -> frozenset[str]:
    """The layers that a condition may ask for."""
    return frozenset({*KINDS, *(path.stem for path in (folder / FOLDER).glob("*.toml"))})
