"""Say where the value of a setting comes from: every layer that sets it, and which one won."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sfactl.api.errors import ConfigError
from sfactl.config.layers import Layer, flatten, key_hint, known_keys, read_layers
from sfactl.config.secrets import masked
from sfactl.config.settings import Settings
from sfactl.config.tables import FOLDERS, read_table

SOURCE_DEFAULT = "default"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LayerValue:
    """What one layer says about a setting, and whether it won."""

    layer: str
    where: str
    value: Any
    wins: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A setting, its value, and every layer that sets it, the weakest first."""

    key: str
    value: Any
    layers: tuple[LayerValue, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as it applies now, and the layer it comes from."""

    key: str
    value: Any
    layer: str
    where: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A setting that two environments do not share; null where one has none. Secrets are references, never values."""

    key: str
    one: Any
    other: Any
    one_where: str
    other_where: str


def explain(layers: Sequence[Layer], key: str) -> Explanation:
    """Which of ``layers`` set ``key``, a key path such as ``workspace.time_zone``.

    Raises `ConfigError` for an unknown key (with the nearest one), for a table, and for a key that nothing sets.
    """
    key_hint(key)
    said = [(layer, dict(flatten(layer.values))) for layer in layers]
    setting = [(layer, values[key]) for layer, values in said if key in values]
    if not setting:
        below = sorted({k for _, values in said for k in values if k.startswith(f"{key}.")})
        if below:
            raise ConfigError(f"{key}: is a table", hint=f"Its keys: {', '.join(below)}")
        known = sorted({*known_keys(), *(k for _, values in said for k in values)})
        near = difflib.get_close_matches(key, known, 1)
        raise ConfigError(
            f"{key}: is not set", hint=f"Did you mean {near[0]!r}?" if near else "See: sfactl config list"
        )
    return Explanation(
        key=key,
        value=setting[-1][1],
        layers=tuple(
            LayerValue(layer=layer.kind, where=layer.where, value=value, wins=i == len(setting) - 1)
            for i, (layer, value) in enumerate(setting)
        ),
    )


def list_settings(layers: Sequence[Layer]) -> tuple[Setting, ...]:
    """Every setting that has a value, in the order of the schema, with the layer that won."""
    found: dict[str, Setting] = {}
    for layer in layers:
        for key, value in flatten(layer.values):
            found[key] = Setting(key=key, value=value, layer=layer.kind, where=layer.where)
    order = {name.partition(".")[0]: i for i, name in enumerate(dataclasses.asdict(Settings()))}
    return tuple(sorted(found.values(), key=lambda s: order.get(s.key.partition(".")[0], len(order))))


def compare(one: Sequence[Layer], other: Sequence[Layer]) -> tuple[Difference, ...]:
    """Every setting whose value is not the same under ``one`` and ``other``, in the order of the schema."""
    left = {setting.key: setting for setting in list_settings(one)}
    right = {setting.key: setting for setting in list_settings(other)}
    found = []
    for key in dict.fromkeys([*left, *right]):
        mine, theirs = left.get(key), right.get(key)
        if mine is None or theirs is None or mine.value != theirs.value:
            found.append(
                Difference(
                    key=key,
                    one=masked(key, mine.value) if mine else None,
                    other=masked(key, theirs.value) if theirs else None,
                    one_where=mine.where if mine else "",
                    other_where=theirs.where if theirs else "",
                )
            )
    return tuple(found)


def layers_of(
    folder: Path, *, env: str | None = None, environ: Mapping[str, str] | None = None, no_plugins: Sequence[str] = ()
) -> list[Layer]:
    """As `read_layers`, with the defaults and the files of ``sources/``, ``senders/`` and ``erp/`` among them."""
    layers = read_layers(folder, env=env, environ=environ, no_plugins=no_plugins)
    files = [
        Layer(kind="workspace", where=str(path), values={name: {path.stem: read_table(path)}})
        for name in FOLDERS
        for path in sorted((folder / name).glob("*.toml"))
    ]
    defaults = Layer(kind=SOURCE_DEFAULT, where="sfactl", values=dataclasses.asdict(Settings()))
    weaker = [layer for layer in layers if layer.kind in ("preset", "workspace")]
    return [defaults, *weaker, *files, *(layer for layer in layers if layer not in weaker)]
