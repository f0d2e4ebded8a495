"""Ask DNS. A name that is not there is an empty answer; a server that does not answer is an error."""

from __future__ import annotations

import ipaddress
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sfactl.api.errors import ConfigError, TryLater

if TYPE_CHECKING:
    from dns.resolver import Answer, Resolver

LIFETIME_S = 10.0
HINT = 'Try again later, or name another server in the sender\'s file: nameserver = "IP".'
PORT = 53
PAYLOAD = 1232
"""Bytes of an answer over UDP that no network cuts up (DNS flag day 2020); more comes over TCP."""


class Names:
    """Asks ``nameserver`` (``IP`` or ``IP:PORT``), or those of the system where it is empty."""

    def __init__(self, nameserver: str = "") -> None:
        self._nameserver = nameserver
        self._texts: dict[str, tuple[str, ...]] = {}

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records of ``name``, each with its parts joined."""
        if name not in self._texts:
            answer = self._ask(name, "TXT")
            found = [b"".join(record.strings).decode("utf-8", "replace") for record in answer or ()]
            self._texts[name] = tuple(sorted(found))
        return self._texts[name]

    def mail_servers(self, name: str) -> tuple[str, ...]:
        """The hosts that take mail for ``name``, the most wanted first; a lone empty one says that nobody does."""
        answer = sorted(self._ask(name, "MX") or (), key=lambda record: (record.preference, str(record.exchange)))
        return tuple(str(record.exchange).rstrip(".") for record in answer)

    def addresses(self, name: str) -> tuple[str, ...]:
        """The IPv4 and IPv6 addresses of ``name``; itself where it is one."""
        try:
            return (str(ipaddress.ip_address(name)),)
        except ValueError:
            return tuple(record.address for kind in ("A", "AAAA") for record in self._ask(name, kind) or ())

    @cached_property
    def _resolver(self) -> Resolver:
        import dns.exception
        import dns.resolver

        try:
            resolver = dns.resolver.Resolver(configure=not self._nameserver)
        except (dns.exception.DNSException, OSError) as err:
            raise TryLater(
                f"this machine names no DNS server: {err}", hint='Name one in the sender\'s file: nameserver = "IP".'
            ) from err
        if self._nameserver:
            host, resolver.port = endpoint(self._nameserver)
            resolver.nameservers = [host]
        resolver.lifetime = LIFETIME_S
        resolver.use_edns(0, 0, PAYLOAD)
        return resolver

    def _ask(self, name: str, kind: str) -> Answer | None:
        import dns.exception
        import dns.name
        import dns.resolver

        try:
            return self._resolver.resolve(name, kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.name.LabelTooLong, dns.name.EmptyLabel):
            return None
        except dns.resolver.LifetimeTimeout:
            raise TryLater(f"DNS did not answer for {name} {kind} in {LIFETIME_S:g} s", hint=HINT) from None
        except dns.exception.DNSException as err:
            raise TryLater(f"DNS did not answer for {name} {kind}: {err}", hint=HINT) from err


def endpoint(nameserver: str) -> tuple[str, int]:
    """Host and port of ``IP`` or ``IP:PORT``, where IPv6 stands in brackets. Raises `ConfigError`."""
    try:
        parts = urlsplit(f"//{nameserver}")
        host, port = str(ipaddress.ip_address(parts.hostname or "")), parts.port or PORT
    except ValueError:
        raise ConfigError(
            f"nameserver: {nameserver!r} is neither IP nor IP:PORT", hint='Such as "192.0.2.53" or "[2001:db8::53]:53".'
        ) from None
    return host, port
