"""Read process files: one file ``processes/NAME.toml`` is one process."""

from __future__ import annotations

from pathlib import Path

from sfactl.api.errors import NotFound
from sfactl.config.objects import read_object
from sfactl.engine.conditions.source import nearest
from sfactl.processes.model import Process

FOLDER = "processes"


def paths(folder: Path) -> list[Path]:
    """The process files of the workspace ``folder``, by name."""
    return sorted((folder / FOLDER).glob("*.toml"))


def read_process(path: Path) -> Process:
    """The process in the file ``path``. Raises `ConfigError`."""
    return read_object(Process, path, inject={"name": path.stem})


def named(folder: Path, name: str) -> Process:
    """The process ``name`` of the workspace. Raises `NotFound` with the nearest name, `ConfigError`."""
    known = [path.stem for path in paths(folder)]
    if name not in known:
        near = nearest(name, known).strip()
        raise NotFound(
            f"there is no process {name!r}", hint=near or f"Write {FOLDER}/{name}.toml, or see: sfactl process list"
        )
    return read_process(folder / FOLDER / f"{name}.toml")
