"""Decide what is a secret key, and refuse a secret that is written out instead of referred to.

A secret is only ever ``env:NAME`` or ``file:PATH``; messages name the key and never the value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sfactl.api.errors import ConfigError

_SECRET_KEY = re.compile(
    r"(^|_)(password|passwd|passphrase|secret|token|api_?key|access_key|private_key|credentials?)$", re.I
)
_TELLING = re.compile(r"(^|[_-])(pass|pwd|pin|key|auth|authorization|cookie|bearer|dsn|signature|credentials?)$", re.I)
_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+")
_PLACE = re.compile(r"[A-Za-z ]*\{secrets\.[A-Za-z0-9_-]+\}")


def is_secret(key: str) -> bool:
    """Whether the name of a key says that its value is secret: it ends in password, token, secret, api_key …"""
    return bool(_SECRET_KEY.search(key))


def is_reference(value: object) -> bool:
    """Whether ``value`` is ``env:NAME`` or ``file:PATH``."""
    return isinstance(value, str) and bool(_REFERENCE.fullmatch(value))


def is_place(value: object) -> bool:
    """Whether ``value`` only says where a secret of the same file is put in, as ``Bearer {secrets.NAME}`` does."""
    return isinstance(value, str) and bool(_PLACE.fullmatch(value))


def masked(key: str, value: Any) -> Any:
    """``value`` as it may be passed on: without what may be secret, by the name of its key or as the login of a URL."""
    if isinstance(value, (list, tuple)):
        return [masked(key, part) for part in value]
    if not isinstance(value, str) or is_reference(value) or is_place(value):
        return value
    last = key.rpartition(".")[2]
    return "(not shown)" if value and (is_secret(last) or _TELLING.search(last)) else _LOGIN.sub("(not shown)", value)


def check_secrets(table: Mapping[str, Any], *, where: str, path: str = "", names: frozenset[str] = frozenset()) -> None:
    """Raise `ConfigError` for a secret key of ``table`` that holds a literal. ``names``: more secret keys."""
    for key, value in table.items():
        at = f"{path}.{key}" if path else key
        if isinstance(value, Mapping):
            check_secrets(value, where=where, path=at, names=names)
        elif (is_secret(key) or key in names) and value != "" and not (is_reference(value) or is_place(value)):
            raise ConfigError(
                f"{where}: {at}: a secret is written out here",
                hint=f'Refer to it instead: {key} = "env:NAME" or "file:PATH".',
            )
