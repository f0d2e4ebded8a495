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
    for old, new in retired.items():
        found: Any = values
        for part in old.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        if found is not None:
            raise ConfigError(f"{where}: {old}: is now called {new}", hint=f"Rename the key to {new}.")
