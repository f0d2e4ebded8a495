"""Read score files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sfactl.api.errors import NotFound
from sfactl.config.objects import read_object
from sfactl.engine.conditions.source import nearest
from sfactl.scoring.model import Score

FOLDER = "scores"


def read_scores(folder: Path) -> dict[str, Score]:
    """All scores of the workspace ``folder`` by name."""
    return {path.stem: read_score(path) for path in sorted((folder / FOLDER).glob("*.toml"))}


def read_score(path: Path) -> Score:
    """The score in the file ``path``. Raises `ConfigError`."""
    return read_object(Score, path, inject={"name": path.stem})


def named(scores: Mapping[str, Score], name: str) -> Score:
    """The score ``name``; raises `NotFound` with the nearest name."""
    if name not in scores:
        raise NotFound(f"there is no score {name!r}", hint=nearest(name, scores).strip() or "See: sfactl score list")
    return scores[name]
