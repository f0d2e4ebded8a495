"""What the shell may complete beside commands and options: the names of the user's files, datasets and environments.

Names come from folders and file names alone, so that a Tab costs no more than the start of the program. Numbers of
leads and deals are not offered: there are too many of them.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click
from click.shell_completion import CompletionItem

FOLDERS: Mapping[tuple[str, str], str] = {
    ("segment", "name"): "segments",
    ("segment", "names"): "segments",
    ("segment", "layer"): "layers",
    ("score", "name"): "scores",
    ("score", "names"): "scores",
    ("score", "fit"): "scores",
    ("score", "intent"): "scores",
    ("campaign", "name"): "campaigns",
    ("campaign", "names"): "campaigns",
    ("survey", "name"): "surveys",
    ("survey", "names"): "surveys",
    ("template", "name"): "templates",
    ("template", "names"): "templates",
    ("strategy", "name"): "strategies",
    ("strategy", "names"): "strategies",
    ("source", "name"): "sources",
    ("source", "names"): "sources",
    ("lead", "sources"): "sources",
    ("lead", "mapping"): "mappings",
    ("erp", "name"): "erp",
    ("price", "names"): "prices",
    ("opportunity", "rules"): "filters",
}
"""(group, parameter) → the folder whose TOML files give the names."""

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def attach(group: str, command: click.Command) -> None:
    """Let the parameters of ``command`` that hold a name be completed."""
    if isinstance(command, click.Group):
        for child in command.commands.values():
            attach(group, child)
    for parameter in command.params:
        if complete := _complete(group, parameter.name or ""):
            parameter._custom_shell_complete = complete


def _complete(group: str, parameter: str) -> Complete | None:
    if folder := FOLDERS.get((group, parameter)):
        return lambda ctx, _param, begun: _items(_stems(ctx, folder), begun)
    if group == "data" and parameter in ("dataset", "datasets"):
        return lambda _ctx, _param, begun: _items(_datasets(), begun)
    if group == "run" and parameter in ("only", "jobs", "job"):
        return lambda ctx, _param, begun: _items(_jobs(ctx), begun)
    if group == "config" and parameter in ("one", "other"):
        return lambda ctx, _param, begun: _items(_environments(ctx), begun)
    return None


def _items(names: Sequence[str], begun: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in sorted(names) if name.startswith(begun)]


def _stems(ctx: click.Context, folder: str) -> list[str]:
    workspace = _workspace(ctx)
    return [path.stem for path in (workspace / folder).glob("*.toml")] if workspace else []


def _datasets() -> list[str]:
    return [path.stem for path in (Path(__file__).parents[1] / "schemas" / "datasets").glob("*.toml")]


def _jobs(ctx: click.Context) -> list[str]:
    from sfactl.runs.jobs import NEEDS, OBJECTS

    return [*NEEDS, *(f"{kind}:{name}" for kind, folder in OBJECTS.items() for name in _stems(ctx, folder))]


def _environments(ctx: click.Context) -> list[str]:
    workspace = _workspace(ctx)
    if workspace is None:
        return []
    try:
        return list(tomllib.loads((workspace / "sfactl.toml").read_text(encoding="utf-8")).get("env", {}))
    except (OSError, tomllib.TOMLDecodeError):
        return []


def _workspace(ctx: click.Context) -> Path | None:
    said = ctx.find_root().params.get("workspace") or os.environ.get("SFACTL_WORKSPACE")
    places = [Path(said)] if said else [Path.cwd(), *Path.cwd().parents]
    return next((place for place in places if (place / "sfactl.toml").is_file()), None)
