"""The named tables of ``sources/``, ``senders/``, ``mailboxes/``, ``erp/`` …: which offer, and how.

A file is read when it is asked for, so that a broken one stops only what needs it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sfactl.api.errors import ConfigError
from sfactl.config.objects import check_version, read_toml
from sfactl.config.secrets import check_secrets

FOLDERS = ("sources", "senders", "mailboxes", "erp", "extractors", "enrichers")
"""Folders of a workspace that hold named tables; also the names of the settings."""


class NamedTables(Mapping[str, Mapping[str, Any]]):
    """The tables of one folder by name, with what the environment changes laid over each."""

    def __init__(self, folder: Path, changes: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._folder = folder
        self._changes = dict(changes or {})

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        """The table ``name``: ``use`` and the settings of the offer. Raises `KeyError`, or `ConfigError` if broken."""
        path = self._folder / f"{name}.toml"
        if name in self._changes and not path.is_file():
            near = difflib.get_close_matches(name, list(self), 1)
            hint = f"Did you mean {near[0]!r}?" if near else None
            raise ConfigError(
                f"{self._folder.name}.{name}: is changed by the environment, but there is no {path}", hint=hint
            )
        if not path.is_file():
            raise KeyError(name)
        return {**read_table(path), **self._changes.get(name, {})}

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(p.stem for p in self._folder.glob("*.toml")))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def read_table(path: Path) -> dict[str, Any]:
    """Read one such file. Raises `ConfigError` without ``schema = 1`` or ``use``, or with a secret written out."""
    raw = read_toml(path)
    check_table(raw, where=str(path))
    raw.pop("schema")
    return raw


def check_table(raw: Mapping[str, Any], *, where: str) -> None:
    """Raise `ConfigError` unless ``raw`` is a whole file of this kind."""
    check_version(raw, where=where)
    if not isinstance(raw.get("use"), str):
        raise ConfigError(f"{where}: use: missing; name the offer to use, see: sfactl plugin list")
    check_secrets(raw, where=where)
