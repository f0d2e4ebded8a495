"""Decide which value of a setting wins: default < preset < workspace < environment < SFACTL_ variable < flag.

Every layer is checked by itself, so that a mistake is told with the file or variable it stands in.
"""

from __future__ import annotations

import difflib
import tomllib
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from sfactl.api.errors import ConfigError, NotFound
from sfactl.config.objects import build, check_version, read_toml
from sfactl.config.presets import preset_folder
from sfactl.config.retired import check_retired
from sfactl.config.secrets import check_secrets
from sfactl.config.settings import Settings
from sfactl.config.tables import FOLDERS, NamedTables

FILE = "sfactl.toml"

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Values from one place. ``kind`` is default, preset, workspace, environment, variable or flag."""

    kind: str
    where: str
    values: Raw


def find_workspace(given: Path | None, environ: Mapping[str, str], start: Path) -> Path:
    """The workspace folder: ``given``, else SFACTL_WORKSPACE, else the nearest folder at or above ``start``.

    It is relative to ``start`` where it can be, so that messages name files the way the user would. Raises
    `NotFound` if there is no ``sfactl.toml`` there.
    """
    said = given or (Path(environ["SFACTL_WORKSPACE"]) if environ.get("SFACTL_WORKSPACE") else None)
    if said is not None:
        if (said / FILE).is_file():
            return said
        raise NotFound(f"{said} is not a workspace: it has no {FILE}", hint=f"Make one with: sfactl init {said}")
    for steps, folder in enumerate((start, *start.parents)):
        if (folder / FILE).is_file():
            return Path(*[".."] * steps)
    raise NotFound(
        f"no workspace here: no {FILE} in {start} or above",
        hint="Make one with: sfactl init DIR, or name it with -w DIR.",
    )


def load_settings(
    folder: Path, *, env: str | None = None, environ: Mapping[str, str] | None = None, no_plugins: Sequence[str] = ()
) -> Settings:
    """The settings of the workspace ``folder`` with all layers applied. Raises `ConfigError`."""
    return settle(folder, read_layers(folder, env=env, environ=environ, no_plugins=no_plugins))


def settle(folder: Path, layers: Sequence[Layer]) -> Settings:
    """The settings that ``layers`` add up to."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = merge(merged, layer.values)
    settings = build(Settings, merged, where=str(folder / FILE))
    return replace(
        settings,
        sources=NamedTables(folder / "sources", settings.sources),
        senders=NamedTables(folder / "senders", settings.senders),
        mailboxes=NamedTables(folder / "mailboxes", settings.mailboxes),
        erp=NamedTables(folder / "erp", settings.erp),
        extractors=NamedTables(folder / "extractors", settings.extractors),
        enrichers=NamedTables(folder / "enrichers", settings.enrichers),
    )


def read_layers(
    folder: Path, *, env: str | None = None, environ: Mapping[str, str] | None = None, no_plugins: Sequence[str] = ()
) -> list[Layer]:
    """Every layer from the weakest to the strongest, each checked. The defaults are in `Settings` itself."""
    path = folder / FILE
    raw = read_workspace_file(path)
    envs = raw.pop("env", {})
    layers: list[Layer] = []
    if preset := raw.get("preset"):
        layers.append(_preset_layer(str(preset), str(path)))
    layers.append(Layer(kind="workspace", where=str(path), values=raw))
    if env:
        if env not in envs:
            raise ConfigError(f"{path}: there is no [env.{env}].{_near(env, envs)}")
        layers.append(Layer(kind="environment", where=f"{path} [env.{env}]", values=envs[env]))
    layers.extend(_variable_layers(environ or {}))
    if no_plugins:
        already = [name for layer in layers for name in layer.values.get("plugins", {}).get("disabled", ())]
        values = {"plugins": {"disabled": list(dict.fromkeys([*already, *no_plugins]))}}
        layers.append(Layer(kind="flag", where="--no-plugin", values=values))
    return layers


def read_workspace_file(path: Path) -> dict[str, Any]:
    """Read and check a ``sfactl.toml`` by itself, every environment in it too. ``env`` is among the keys."""
    raw = read_toml(path)
    check_workspace(raw, where=str(path))
    raw.pop("schema")
    return raw


def check_workspace(raw: Raw, *, where: str) -> None:
    """Raise `ConfigError` unless ``raw`` is a whole ``sfactl.toml``."""
    check_version(raw, where=where)
    for name in FOLDERS:
        if name in raw:
            raise ConfigError(f"{where}: {name}: belongs in files of its own, {name}/NAME.toml")
    check_layer({k: v for k, v in raw.items() if k not in ("schema", "env")}, where=where)
    envs = raw.get("env", {})
    if not isinstance(envs, Mapping) or not all(isinstance(v, Mapping) for v in envs.values()):
        raise ConfigError(f"{where}: env: is a table of tables, for instance [env.prod.workspace]")
    for name, values in envs.items():
        check_layer(values, where=f"{where}: env.{name}")


def check_layer(values: Raw, *, where: str) -> None:
    """Raise `ConfigError` if ``values`` could not be settings by themselves."""
    check_retired(values, where=where)
    check_secrets({k: v for k, v in values.items() if k != "fields"}, where=where)
    build(Settings, values, where=where)


def merge(under: Raw, over: Raw) -> dict[str, Any]:
    """``over`` laid on ``under``; tables are merged, everything else is replaced."""
    merged = dict(under)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def flatten(values: Raw, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value by its key path, for instance ``workspace.time_zone``."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def nested(key: str, value: Any) -> dict[str, Any]:
    """The table that holds only ``value`` at the key path ``key``."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return typing.cast("dict[str, Any]", value)


def key_hint(key: str) -> Any:
    """The type of the setting at the key path ``key``; raises `ConfigError` naming the nearest key if there is none."""
    hint: Any = Settings
    for i, part in enumerate(parts := key.split(".")):
        if is_dataclass(hint) and isinstance(hint, type):
            hints = typing.get_type_hints(hint)
            names = [f.name for f in fields(hint)]
            if part not in names:
                raise ConfigError(f"{key}: there is no such setting.{_near(key, known_keys())}")
            hint = hints[part]
        elif typing.get_origin(hint) is not None and issubclass(typing.get_origin(hint), Mapping):
            hint = typing.get_args(hint)[1]
        elif hint is not Any:
            raise ConfigError(f"{key}: {'.'.join(parts[:i])} is a value, not a table")
    return hint


def known_keys() -> list[str]:
    """Key paths of all settings that have a name of their own, free tables as their own name."""
    return list(_known(Settings, ""))


def _known(cls: Any, prefix: str) -> Iterator[str]:
    hints = typing.get_type_hints(cls)
    for f in fields(cls):
        if is_dataclass(hints[f.name]):
            yield from _known(hints[f.name], f"{prefix}{f.name}.")
        else:
            yield f"{prefix}{f.name}"


def parse_value(key: str, text: str) -> Any:
    """The TOML value meant by ``text`` for the setting ``key``: text stays as it is, everything else is TOML.

    A list of texts may be given as ``a,b``. Raises `ConfigError` for an unknown key.
    """
    hint = key_hint(key)
    if hint is str or hint == str | None:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        if typing.get_origin(hint) is tuple:
            return [part.strip() for part in text.split(",") if part.strip()]
        return text


def _preset_layer(name: str, where: str) -> Layer:
    path = preset_folder(name, where=where) / FILE
    raw = read_workspace_file(path)
    raw.pop("env", None)
    return Layer(kind="preset", where=f"preset {name}", values=raw)


def _variable_layers(environ: Mapping[str, str]) -> Iterator[Layer]:
    for variable in sorted(environ):
        if variable.startswith("SFACTL_") and "__" in variable:
            key = variable.removeprefix("SFACTL_").lower().replace("__", ".")
            try:
                values = nested(key, parse_value(key, environ[variable]))
            except ConfigError as err:
                raise ConfigError(f"environment variable {variable}: {err.message}", hint=err.hint) from None
            check_layer(values, where=f"environment variable {variable}")
            yield Layer(kind="variable", where=variable, values=values)


def _near(name: str, known: typing.Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(name, known, 1)
    if near:
        return f" Did you mean {near[0]!r}?"
    return f" Known: {', '.join(known)}." if known else ""
