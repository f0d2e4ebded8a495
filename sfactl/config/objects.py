"""Read one TOML file into one frozen dataclass, strictly.

Unknown keys, missing keys and values of a wrong type are errors that name the file, the key path, the value and the
nearest name. Nothing is converted silently; only int → float and int/float/str → Decimal are allowed.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from sfactl.api.errors import ConfigError

T = TypeVar("T")

SCHEMA = 1
"""The version every object file states as ``schema = 1``."""


def read_object(cls: type[T], path: Path, *, inject: Mapping[str, Any] | None = None) -> T:
    """Read the TOML file ``path`` into the dataclass ``cls``.

    Fields listed in ``inject`` (for instance ``name`` from the file's stem) are set by the caller and may not be in
    the file. Raises `ConfigError`.
    """
    raw = read_toml(path)
    check_version(raw, where=str(path))
    del raw["schema"]
    return build(cls, raw, where=str(path), inject=inject)


def check_version(raw: Mapping[str, Any], *, where: str) -> None:
    """Raise `ConfigError` unless the file states the version this program reads."""
    version = raw.get("schema")
    if version != SCHEMA:
        said = "is missing" if version is None else f"is {version!r}"
        raise ConfigError(f"{where}: schema: {said}; write schema = {SCHEMA} at the top")


def said(value: object) -> Any:
    """All that differs from the defaults, so that a key which a later sfactl adds makes no new version."""
    if isinstance(value, tuple):
        return [said(v) for v in value]
    if isinstance(value, Mapping):
        return {key: said(v) for key, v in value.items()}
    if not dataclasses.is_dataclass(value):
        return value
    found = {}
    for field in dataclasses.fields(value):
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        own = getattr(value, field.name)
        if own != default:
            found[field.name] = said(own)
    return found


def read_folder(cls: type[T], folder: Path, *, name_field: str = "name") -> dict[str, T]:
    """Read every ``*.toml`` of ``folder``; the file's stem is the object's name. A missing folder is empty."""
    return {p.stem: read_object(cls, p, inject={name_field: p.stem}) for p in sorted(folder.glob("*.toml"))}


def read_toml(path: Path) -> dict[str, Any]:
    """The TOML document at ``path``. Raises `ConfigError` with line and column for a syntax error."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text ({err})") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise ConfigError(f"{path}: {err}") from None


def build(
    cls: type[T], raw: Mapping[str, Any], *, where: str, path: str = "", inject: Mapping[str, Any] | None = None
) -> T:
    """Make ``cls`` from plain TOML values. ``where`` and ``path`` (key path) are for messages."""
    inject = dict(inject or {})
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(typing.cast(Any, cls)) if f.init}
    known = keys_of(cls, inject)
    values: dict[str, Any] = dict(inject)
    for key, value in raw.items():
        at = f"{path}.{key}" if path else key
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(sorted(known))}"
            raise ConfigError(f"{where}: {at}: unknown key. {hint}")
        values[known[key]] = convert(hints[known[key]], value, where=where, path=at)
    for key, name in known.items():
        f = fields[name]
        if name not in values and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise ConfigError(f"{where}: {f'{path}.{key}' if path else key}: missing")
    try:
        return cls(**values)
    except ValueError as err:  # a __post_init__ that checks values together
        raise ConfigError(f"{where}: {path or 'file'}: {err}") from None


def keys_of(cls: type[Any], inject: Mapping[str, Any]) -> dict[str, str]:
    """The keys that a file may have for ``cls``, and the field each one sets."""
    init = [f for f in dataclasses.fields(cls) if f.init and f.name not in inject]
    return {f.metadata.get("key", f.name): f.name for f in init}


def convert(hint: Any, value: Any, *, where: str, path: str) -> Any:
    """Check one TOML value against a type hint and convert containers and nested dataclasses."""
    origin = get_origin(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return _convert_union(hint, value, where=where, path=path)
    if origin is Literal:
        return _convert_literal(hint, value, where=where, path=path)
    if origin in (tuple, list) or hint in (tuple, list):
        return _convert_sequence(hint, value, where=where, path=path)
    if origin is not None and issubclass(origin, Mapping):
        return _convert_mapping(hint, value, where=where, path=path)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            raise _wrong("a table", value, where, path)
        return build(hint, value, where=where, path=path)
    return _convert_scalar(hint, value, where=where, path=path)


def _convert_union(hint: Any, value: Any, *, where: str, path: str) -> Any:
    options = [a for a in get_args(hint) if a is not type(None)]
    errors: dict[Any, ConfigError] = {}
    for option in options:
        try:
            return convert(option, value, where=where, path=path)
        except ConfigError as err:
            errors[option] = err
    # A table was meant as the one option that is a table, anything else as the one that is not.
    meant = [o for o in options if dataclasses.is_dataclass(o) == isinstance(value, Mapping)]
    if len(meant) == 1:
        raise errors[meant[0]]
    raise _wrong(" or ".join(_name(o) for o in options), value, where, path)


def _convert_literal(hint: Any, value: Any, *, where: str, path: str) -> Any:
    options = get_args(hint)
    if value in options and type(value) in {type(o) for o in options}:
        return value
    near = difflib.get_close_matches(str(value), [str(o) for o in options], 1)
    tail = f" Did you mean {near[0]!r}?" if near else ""
    raise ConfigError(f"{where}: {path}: {value!r} is not one of {', '.join(map(str, options))}.{tail}")


def _convert_sequence(hint: Any, value: Any, *, where: str, path: str) -> Any:
    if not isinstance(value, list):
        raise _wrong("a list", value, where, path)
    inner = (get_args(hint) or (Any,))[0]
    return tuple(convert(inner, v, where=where, path=f"{path}[{i}]") for i, v in enumerate(value))


def _convert_mapping(hint: Any, value: Any, *, where: str, path: str) -> Any:
    if not isinstance(value, Mapping):
        raise _wrong("a table", value, where, path)
    inner = (get_args(hint) or (str, Any))[1]
    return {k: convert(inner, v, where=where, path=f"{path}.{k}") for k, v in value.items()}


def _convert_scalar(hint: Any, value: Any, *, where: str, path: str) -> Any:
    if hint is Decimal and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise _wrong("a decimal number", value, where, path) from None
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is date and isinstance(value, datetime):
        raise _wrong("a date", value, where, path)
    if isinstance(hint, type) and isinstance(value, hint) and not (hint is not bool and isinstance(value, bool)):
        return value
    raise _wrong(_name(hint), value, where, path)


_NAMES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Decimal: "a decimal number",
    date: "a date",
    datetime: "a date and time",
    time: "a time",
}


def _name(hint: Any) -> str:
    return _NAMES.get(hint, getattr(hint, "__name__", str(hint)))


def _wrong(expected: str, value: Any, where: str, path: str) -> ConfigError:
    return ConfigError(f"{where}: {path}: {value!r} is not {expected}")
