"""Which files a workspace is made of, and how each is checked: the list behind ``config check`` and ``doctor``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import SfactlError
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.cli.app import App
    from sfactl.config.problems import Problem

OBJECTS: Mapping[str, str] = {
    "prices": "sfactl.quotes.model:PriceBook",
}
"""Folder → the dataclass that its files are read into, as ``module:Class``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesReport:
    """How many files were checked, and every mistake found."""

    files: int
    problems: tuple[Problem, ...]

    def lines(self) -> Iterator[str]:
        """The report for people."""
        for problem in self.problems:
            yield problem.message
            if problem.hint:
                yield f"  {problem.hint}"
        found = count(len(self.problems), "problem") if self.problems else "all in order"
        yield f"{count(self.files, 'file')} checked, {found}."


def check_files(app: App) -> FilesReport:
    """Check ``sfactl.toml``, the layers over it, and every object file of the workspace."""
    from sfactl.config.problems import table_problems, workspace_problems

    folder = app.folder()
    problems = [*workspace_problems(folder / "sfactl.toml"), *table_problems(folder)]
    if not problems:
        problems += _layer_problems(app)
    for name, target in OBJECTS.items():
        problems += _object_problems(folder / name, target)
    paths = {folder / "sfactl.toml", *_object_files(folder)}
    return FilesReport(files=len(paths), problems=tuple(problems))


def _layer_problems(app: App) -> Iterator[Problem]:
    """Mistakes that only show once all layers are laid over one another, custom fields among them."""
    from sfactl.config.layers import load_settings
    from sfactl.config.problems import Problem
    from sfactl.schemas.dataset import Schemas

    try:
        settings = load_settings(app.folder(), env=app.env, environ=os.environ, no_plugins=app.no_plugins)
        schemas = Schemas(settings.fields)
        for name in settings.fields:
            _ = schemas[name]
    except SfactlError as err:
        yield Problem(message=err.message, hint=err.hint or "")


def _object_problems(folder: Path, target: str) -> Iterator[Problem]:
    from sfactl.config.problems import object_problems

    paths = sorted(folder.glob("*.toml"))
    if paths:
        module, _, name = target.partition(":")
        cls = getattr(import_module(module), name)
        for path in paths:
            yield from object_problems(cls, path, inject={"name": path.stem})


def _object_files(folder: Path) -> Iterator[Path]:
    from sfactl.config.tables import FOLDERS

    for name in (*FOLDERS, *OBJECTS):
        yield from (folder / name).glob("*.toml")
