"""Keys that had another name once, or are often written so: each is refused with its new name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sfactl.api.errors import ConfigError

RETIRED: Mapping[str, str] = {
    "workspace.timezone": "workspace.time_zone",
    "workspace.tz": "workspace.time_zone",
    "workspace.locale": "workspace.language",
    "engine.memory": "engine.memory_limit",
    "plugins.disable": "plugins.disabled",
    "custom_fields": "fields",
}
"""Old key path → new key path."""


def check_retired(values: Mapping[str, Any], *, where: str, retired: Mapping[str, str] = RETIRED) -> None:
    """Raise `ConfigError` if a key of ``values`` is retired."""
    for old in retired_keys(values, retired):
        raise ConfigError(f"{where}: {old}: is now called {retired[old]}", hint=f"Rename the key to {retired[old]}.")


def retired_keys(values: Mapping[str, Any], retired: Mapping[str, str] = RETIRED) -> list[str]:
    """Key paths of ``values`` that are retired."""
    found = []
    for old in retired:
        value: Any = values
        for part in old.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            found.append(old)
    return found
