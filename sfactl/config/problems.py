"""Find every mistake of a file at once, where reading it would stop at the first."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ParamSpec, Union, get_args, get_origin

from sfactl.api.errors import ConfigError, SfactlError
from sfactl.config.layers import read_workspace_file
from sfactl.config.objects import SCHEMA, build, convert, keys_of, read_toml
from sfactl.config.retired import RETIRED, check_retired, retired_keys
from sfactl.config.secrets import check_secrets
from sfactl.config.settings import Settings
from sfactl.config.tables import FOLDERS, read_table

P = ParamSpec("P")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake: where it is, what is wrong, what to do."""

    message: str
    hint: str = ""


def workspace_problems(path: Path) -> Iterator[Problem]:
    """Every mistake in a ``sfactl.toml``."""
    try:
        raw = read_toml(path)
    except ConfigError as err:
        yield _problem(err)
        return
    found = list(_workspace_parts(raw, str(path)))
    # What only shows when the file is read as a whole is told once nothing else is wrong.
    found = found or list(_tried(read_workspace_file, path))
    yield from found


def table_problems(folder: Path) -> Iterator[Problem]:
    """Every mistake in ``sources/``, ``senders/`` and ``erp/``, as far as the offers' own schemas are not needed."""
    for name in FOLDERS:
        for path in sorted((folder / name).glob("*.toml")):
            yield from _tried(read_table, path)


def object_problems(cls: type[Any], path: Path, *, inject: Mapping[str, Any] | None = None) -> Iterator[Problem]:
    """Every mistake in the object file ``path`` of the schema ``cls``."""
    try:
        raw = read_toml(path)
    except ConfigError as err:
        yield _problem(err)
        return
    if raw.pop("schema", None) != SCHEMA:
        yield Problem(message=f"{path}: schema: write schema = {SCHEMA} at the top")
    yield from value_problems(cls, raw, where=str(path), inject=inject)


def value_problems(
    hint: Any, value: Any, *, where: str, path: str = "", inject: Mapping[str, Any] | None = None
) -> Iterator[Problem]:
    """Every mistake in ``value``, read as the type ``hint``."""
    hint, origin = _unwrapped(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        yield from _table_problems(hint, value, where=where, path=path, inject=inject or {})
    elif origin in (tuple, list) and isinstance(value, list):
        for i, inner in enumerate(value):
            yield from value_problems((get_args(hint) or (Any,))[0], inner, where=where, path=f"{path}[{i}]")
    elif isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, Mapping):
        for key, inner in value.items():
            yield from value_problems((get_args(hint) or (str, Any))[1], inner, where=where, path=f"{path}.{key}")
    else:
        yield from _tried(convert, hint, value, where=where, path=path)


def _unwrapped(hint: Any) -> tuple[Any, Any]:
    """The type without ``| None``, and what it is a form of."""
    if get_origin(hint) in (Union, types.UnionType):
        options = [a for a in get_args(hint) if a is not type(None)]
        hint = options[0] if len(options) == 1 else hint
    return hint, get_origin(hint)


def _table_problems(
    cls: type[Any], value: Mapping[str, Any], *, where: str, path: str, inject: Mapping[str, Any]
) -> Iterator[Problem]:
    known, hints = keys_of(cls, inject), typing.get_type_hints(cls)
    right: dict[str, Any] = {}
    for key, inner in value.items():
        at = f"{path}.{key}" if path else key
        if key not in known:
            yield from _tried(build, cls, {key: inner}, where=where, path=path, inject=inject)
        elif found := list(value_problems(hints[known[key]], inner, where=where, path=at)):
            yield from found
        else:
            right[key] = inner
    whole = _tried(build, cls, right, where=where, path=path, inject=inject)
    # A key that is misspelt or has a wrong value would be told a second time, as missing.
    yield from (p for p in whole if len(right) == len(value) or not p.message.endswith(": missing"))


def _workspace_parts(raw: dict[str, Any], where: str) -> Iterator[Problem]:
    raw = dict(raw)
    if raw.pop("schema", None) != SCHEMA:
        yield Problem(message=f"{where}: schema: write schema = {SCHEMA} at the top")
    for name in FOLDERS:
        if raw.pop(name, None) is not None:
            yield Problem(message=f"{where}: {name}: belongs in files of its own, {name}/NAME.toml")
    envs = raw.pop("env", {})
    layers = [(where, raw)]
    if isinstance(envs, Mapping):
        layers += [(f"{where}: env.{name}", values) for name, values in envs.items() if isinstance(values, dict)]
    for at, values in layers:
        for old in retired_keys(values):
            yield from _tried(check_retired, values, where=at, retired={old: RETIRED[old]})
            values = _without(values, old)
        secret = {k: v for k, v in values.items() if k != "fields"}
        yield from _tried(check_secrets, secret, where=at)
        yield from value_problems(Settings, values, where=at)


def _without(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    head, _, rest = key.partition(".")
    return {k: _without(v, rest) if k == head else v for k, v in values.items() if k != head or rest}


def _tried(attempt: Callable[P, object], *args: P.args, **kw: P.kwargs) -> Iterator[Problem]:
    try:
        attempt(*args, **kw)
    except SfactlError as err:
        yield _problem(err)


def _problem(err: SfactlError) -> Problem:
    return Problem(message=err.message, hint=err.hint or "")
