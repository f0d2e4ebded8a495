"""What one made object may use: the hosts and secrets its offer declares, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sfactl.api.errors import PluginError
from sfactl.api.http import HttpSession
from sfactl.config.secrets import is_reference
from sfactl.host.model import Found
from sfactl.host.secrets import resolve


class HostContext:
    """Implements `sfactl.api.context.PluginContext` for one offer and its settings."""

    def __init__(
        self,
        found: Found,
        table: Mapping[str, Any],
        *,
        folder: Path,
        tenant: str,
        now: Callable[[], datetime],
        on_note: Callable[[str], None],
        keep_secret: Callable[[str], None],
    ) -> None:
        self._found = found
        self._hosts = frozenset(declared_hosts(found, table))
        self._references = frozenset(declared_references(found, table))
        self._folder = folder
        self._tenant = tenant
        self._now = now
        self._on_note = on_note
        self._keep_secret = keep_secret
        self._sessions: list[HttpSession] = []

    @property
    def workspace(self) -> Path:
        """The workspace folder."""
        return self._folder

    @property
    def tenant(self) -> str:
        """The workspace's own id."""
        return self._tenant

    def now(self) -> datetime:
        """The time of this run, UTC."""
        return self._now()

    def secret(self, reference: str) -> str:
        """Resolve a reference that stands in one of the settings the offer declares as secrets."""
        if reference not in self._references:
            shown = reference if is_reference(reference) else "a text that is no reference"
            raise PluginError(
                f"{self._found.label}: {self._found.offer.name} asked for a secret it does not declare: {shown}",
                hint="Its author must name the setting in the offer's secrets.",
            )
        secret = resolve(reference, self._folder)
        self._keep_secret(secret)
        return secret

    def http(self, *, base_url: str, headers: Mapping[str, str] | None = None, timeout_s: float = 30.0) -> HttpSession:
        """A session limited to the declared hosts."""
        from sfactl.host.http import GuardedSession  # late: requests costs 60 ms

        self.check_host(urlsplit(base_url).hostname or base_url)
        session = GuardedSession(base_url=base_url, check_host=self.check_host, headers=headers, timeout_s=timeout_s)
        self._sessions.append(session)
        return session

    def check_host(self, host: str) -> None:
        """Raise `PluginError` unless ``host`` is declared."""
        name = host.lower().rstrip(".")
        if name in self._hosts or any(d.startswith("*.") and name.endswith(d[1:]) for d in self._hosts):
            return
        raise PluginError(
            f"{self._found.label}: {self._found.offer.name} wanted to talk to {host}, which it does not declare",
            hint=f"Declared: {', '.join(sorted(self._hosts)) or 'no host at all'}.",
        )

    def log(self, message: str) -> None:
        """A note for people."""
        self._on_note(f"{self._found.offer.name}: {message}")

    def close(self) -> None:
        """Close what the plugin left open."""
        for session in self._sessions:
            session.close()


def declared_hosts(found: Found, table: Mapping[str, Any]) -> Iterable[str]:
    """The host names an offer may talk to, with ``setting:NAME`` read from the settings."""
    for host in found.offer.hosts:
        if not host.startswith("setting:"):
            yield host.lower()
            continue
        value = table.get(host.removeprefix("setting:"))
        for address in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(address, str) and address:
                yield host_of(address)


def host_of(address: str) -> str:
    """The host name in a URL, in ``host:port`` or in a bare name."""
    parts = urlsplit(address if "//" in address else f"//{address}")
    return (parts.hostname or address).lower().rstrip(".")


def declared_references(found: Found, table: Mapping[str, Any]) -> Iterable[str]:
    """The references in the settings that an offer declares as secrets."""
    for name in found.offer.secrets:
        yield from (value for value in _texts(table.get(name)) if is_reference(value))


def _texts(value: Any) -> Iterable[Any]:
    if value is None or value == "":
        return
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
    else:
        yield value
