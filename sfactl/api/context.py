"""What the core hands to a plugin's object when it is made: a clock, secrets, files and the one way to the network."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sfactl.api.http import HttpSession


class PluginContext(Protocol):
    """The services a plugin may use. Nothing else of sfactl is meant for plugins."""

    @property
    def workspace(self) -> Path:
        """The workspace folder. Paths in settings are relative to it."""
        ...

    @property
    def tenant(self) -> str:
        """The workspace's own id, a part of every outside key."""
        ...

    def now(self) -> datetime:
        """The time of this run, UTC without a zone, microseconds. Plugins never read the clock themselves."""
        ...

    def secret(self, reference: str) -> str:
        """Resolve ``env:NAME`` or ``file:PATH``. Raises `ConfigError` naming the reference, never its value."""
        ...

    def http(self, *, base_url: str, headers: Mapping[str, str] | None = None, timeout_s: float = 30.0) -> HttpSession:
        """An HTTP session limited to the hosts the offer declares, with time-outs, retries and Retry-After."""
        ...

    def check_host(self, host: str) -> None:
        """Raise `PluginError` unless the offer declares ``host``. For protocols other than HTTP."""
        ...

    def log(self, message: str) -> None:
        """A note for the person running the command; goes to stderr."""
        ...
