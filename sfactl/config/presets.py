"""Find the presets that a workspace can begin with: folders of plain files, each a workspace in itself."""

from __future__ import annotations

import difflib
from pathlib import Path

from sfactl.api.errors import NotFound

_PACKAGE = Path(__file__).resolve().parents[1]


def presets_folder() -> Path:
    """Where the presets are: packed into the installed package, or ``configs/`` of the source tree."""
    packed = _PACKAGE / "_configs"
    return packed if packed.is_dir() else _PACKAGE.parent / "configs"


def preset_names() -> list[str]:
    """Names of all presets."""
    return sorted(p.parent.name for p in presets_folder().glob("*/sfactl.toml"))


def preset_folder(name: str, *, where: str = "") -> Path:
    """The folder of the preset ``name``; raises `NotFound` with the nearest name."""
    names = preset_names()
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Presets: {', '.join(names) or 'none'}"
        raise NotFound(f"{f'{where}: preset: ' if where else ''}there is no preset {name!r}", hint=hint)
    return presets_folder() / name
