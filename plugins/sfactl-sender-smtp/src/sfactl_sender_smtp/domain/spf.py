"""Read a domain's SPF policy as a receiver does (RFC 7208), without a message: is it sound, and whom does it admit?"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from sfactl.api.records import DomainFinding
from sfactl_sender_smtp.domain.names import Names

MOST_LOOKUPS = 10
MOST_VOID = 2
"""RFC 7208, 4.6.4."""

_TERM = re.compile(
    r"(?P<qualifier>[+?~-]?)(?P<name>[a-z][a-z0-9_.-]*)(?P<mark>[:=/]|$)(?P<value>.*)", re.IGNORECASE | re.DOTALL
)
_MECHANISMS = frozenset({"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"})
_ASKING = frozenset({"include", "a", "mx", "ptr", "exists"})


class _Wrong(Exception):
    """A receiver would answer permerror."""


@dataclass(slots=True)
class _Walk:
    names: Names
    lookups: int = 0
    void: int = 0
    networks: list[str] = field(default_factory=list)

    def count(self) -> None:
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            raise _Wrong(f"it takes more than {MOST_LOOKUPS} lookups, and receivers stop there (RFC 7208, 4.6.4)")

    def found(self, answer: tuple[str, ...], name: str) -> tuple[str, ...]:
        self.void += not answer
        if self.void > MOST_VOID:
            raise _Wrong(f"more than {MOST_VOID} lookups find nothing, the last is {name} (RFC 7208, 4.6.4)")
        return answer


def check_spf(names: Names, domain: str, host: str) -> DomainFinding:
    """What a receiver would make of the policy of ``domain``; ``host`` is the server that the mail is given to."""
    found = _policies(names, domain)
    publish = f"{domain} TXT v=spf1 a:{host} -all"
    if not found:
        return DomainFinding(
            check="spf", verdict="failed", name=domain, detail="there is no policy v=spf1", publish=publish
        )
    walk = _Walk(names)
    try:
        if len(found) > 1:
            raise _Wrong(f"there are {len(found)} policies, and only one may be (RFC 7208, 3.2)")
        last = _follow(walk, domain, found[0], trail=(domain,))
    except _Wrong as err:
        return DomainFinding(check="spf", verdict="failed", name=domain, record=found[0], detail=str(err))
    warnings = list(_warnings(found[0], last))
    facts = [f"{walk.lookups} of {MOST_LOOKUPS} lookups", *_standing(walk, names, host)]
    return DomainFinding(
        check="spf",
        verdict="failed" if last == "+all" else "warning" if warnings else "ok",
        name=domain,
        record=found[0],
        detail=" · ".join([*warnings, *facts]),
    )


def _policies(names: Names, domain: str) -> list[str]:
    return [text for text in names.texts(domain) if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]


def _follow(walk: _Walk, domain: str, policy: str, *, trail: tuple[str, ...]) -> str:
    """Walk through one policy; answers how it ends: ``-all``, ``~all``, ``?all``, ``+all`` or empty."""
    redirect = ""
    ends = ""
    for term in policy.split()[1:]:
        match = _TERM.fullmatch(term)
        if match is None:
            raise _Wrong(f"{term!r} is no term of SPF")
        name, mark, value = match["name"].lower(), match["mark"], match["value"]
        if mark == "=":
            if name == "redirect":
                redirect = value
            continue
        if name not in _MECHANISMS:
            raise _Wrong(f"{term!r}: there is no mechanism {name!r}")
        if ends:
            continue  # what stands behind "all" is never looked at (RFC 7208, 5.1)
        if name == "all":
            ends = f"{match['qualifier'] or '+'}all"
            continue
        if name in _ASKING:
            walk.count()
        admits = match["qualifier"] in ("", "+")
        _mechanism(walk, domain, name, value if mark == ":" else "", admits=admits, term=term, trail=trail)
    if redirect and not ends:
        walk.count()
        if "%{" in redirect:
            return "-all"  # depends on the message; whoever writes such a policy ends it there
        return _included(walk, redirect, trail=trail, term=f"redirect={redirect}")
    return ends


def _mechanism(
    walk: _Walk, domain: str, name: str, value: str, *, admits: bool, term: str, trail: tuple[str, ...]
) -> None:
    target = value.partition("/")[0] if name in ("a", "mx") else value
    if "%{" in value:
        return  # depends on the message
    if name in ("ip4", "ip6"):
        walk.networks += [_network(name, value, term)] * admits
    elif name in ("include", "exists") and not target:
        raise _Wrong(f"{term!r} names no domain")
    elif name == "include":
        _included(walk, target, trail=trail, term=term)
    elif name == "exists":
        walk.found(walk.names.addresses(target), target)
    elif name == "a":
        walk.networks += walk.found(walk.names.addresses(target or domain), target or domain) if admits else ()
    elif name == "mx":
        hosts = walk.found(walk.names.mail_servers(target or domain), target or domain)
        walk.networks += [a for h in hosts[:10] if h for a in walk.names.addresses(h)] if admits else ()


def _included(walk: _Walk, target: str, *, trail: tuple[str, ...], term: str) -> str:
    if target in trail:
        raise _Wrong(f"{term}: it leads back to itself")
    found = _policies(walk.names, target)
    if len(found) != 1:
        raise _Wrong(f"{term}: {target} has {len(found) or 'no'} policies, so the whole is void (RFC 7208, 5.2)")
    return _follow(walk, target, found[0], trail=(*trail, target))


def _network(name: str, value: str, term: str) -> str:
    try:
        found = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise _Wrong(f"{term!r}: {value!r} is no network") from None
    if f"ip{found.version}" != name:
        raise _Wrong(f"{term!r}: that is an IPv{found.version} network")
    return str(found)


def _warnings(policy: str, last: str) -> list[str]:
    found = []
    if last == "+all":
        found.append("+all admits the whole world")
    elif last in ("", "?all"):
        found.append('it does not say what to do with other servers; end it with "-all" or "~all"')
    if re.search(r"(^|\s)[+?~-]?ptr\b", policy, re.IGNORECASE):
        found.append("ptr is slow and should not be used (RFC 7208, 5.5)")
    return found


def _standing(walk: _Walk, names: Names, host: str) -> list[str]:
    """Whether the server that is given the mail is admitted; it may pass it on to others that are."""
    addresses = [ipaddress.ip_address(a) for a in names.addresses(host)]
    networks = [ipaddress.ip_network(n) for n in walk.networks]
    public = [a for a in addresses if a.is_global]
    if not public:
        return []
    if any(a in n for a in public for n in networks if n.version == a.version):
        return [f"admits {host}"]
    return [f"does not admit {host} itself, which is right only if it passes the mail on to servers that are admitted"]
