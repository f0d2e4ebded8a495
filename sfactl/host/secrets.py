"""Resolve references to secrets. Only ``env:NAME`` and ``file:PATH`` are references; a secret itself is refused."""

from __future__ import annotations

import os
from pathlib import Path

from sfactl.api.errors import ConfigError
from sfactl.config.secrets import is_reference

HINT = "Keep the secret in an environment variable or a private file, and write env:NAME or file:PATH here."


def resolve(reference: str, folder: Path) -> str:
    """The secret behind ``reference``; relative paths are below ``folder``. Messages never show a value."""
    scheme, _, name = reference.partition(":")
    if not is_reference(reference):
        raise ConfigError("a secret is written out where a reference is needed", hint=HINT)
    if scheme == "env":
        secret = os.environ.get(name, "")
        if not secret:
            raise ConfigError(
                f"{reference}: the environment variable {name} is not set", hint=f"Set it: export {name}=…"
            )
        return secret
    path = folder / Path(name).expanduser()
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as err:
        why = err.strerror if isinstance(err, OSError) else "not UTF-8 text"
        raise ConfigError(f"{reference}: {path} cannot be read ({why})") from None
    if not secret:
        raise ConfigError(f"{reference}: {path} is empty")
    return secret
