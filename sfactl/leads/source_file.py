"""The text of a new file in sources/: every setting of the offer, with its default, as a comment to begin from."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Iterable, Mapping
from typing import Any

OURS = """
# Whose columns become which fields: a mapping's name, or a table [mapping.columns]; without it headers are recognised.
# mapping = "NAME"
# The event or trade show these leads come from.
# event = ""
# What one pull may take at most; 0 is no limit. The next pull goes on from there.
# max_pages = 0
# max_minutes = 0
# When sfactl run --due pulls from it, for instance "*/15 * * * *"; "" is never.
# schedule = ""
"""


def skeleton(use: str, summary: str, settings: type | None, secrets: Iterable[str]) -> str:
    """The file for the offer ``use``; ``settings`` is its dataclass, ``secrets`` the settings that refer to secrets."""
    lines = [f"# {summary}", "schema = 1", f"use = {json.dumps(use)}", ""]
    if settings is not None:
        said = (settings.__doc__ or "").strip()
        lines += [f"# {line.strip()}".rstrip() for line in said.splitlines()]
        hints = typing.get_type_hints(settings)
        for field in dataclasses.fields(settings):
            lines.append(_line(field, hints[field.name], secret=field.name in set(secrets)))
    return "\n".join(lines) + "\n" + OURS


def _line(field: dataclasses.Field[Any], kind: Any, *, secret: bool) -> str:
    needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    if needed:
        return f"{field.name} = {_example(kind)}  # needed"
    default = field.default if field.default is not dataclasses.MISSING else _made(field)
    shown = "env:NAME" if secret else default
    return f"# {field.name} = {_toml(shown, kind)}"


def _made(field: dataclasses.Field[Any]) -> Any:
    return field.default_factory() if callable(field.default_factory) else None


def _example(kind: Any) -> str:
    if kind is bool:
        return "false"
    if kind in (int, float):
        return "0"
    return "[]" if typing.get_origin(kind) in (tuple, list) else '""'


def _toml(value: Any, kind: Any) -> str:
    if value is None:
        return _example(next((a for a in typing.get_args(kind) if a is not type(None)), str))
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(k))} = {_toml(v, str)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(v, str) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)
