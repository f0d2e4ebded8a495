"""Find and judge the DMARC policy of a domain (RFC 7489), with the organisation's domain found by walking up the tree.

The walk is that of DMARCbis, so that no list of public suffixes is needed: of the domains that have a policy, the one
nearest the root is the organisation's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sfactl.api.records import DomainFinding, Verdict
from sfactl_sender_smtp.domain.names import Names

POLICIES = ("none", "quarantine", "reject")
_ADDRESS = re.compile(r"mailto:[^@\s,!]+@(?P<domain>[^@\s,!]+)(?:![0-9]+[kmgt]?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The policy that holds for a domain, and where it stands."""

    domain: str
    record: str
    tags: Mapping[str, str]

    def strict(self, what: str) -> bool:
        """Whether ``adkim`` or ``aspf`` wants the very same domain."""
        return self.tags.get(what, "r").lower() == "s"


def records(names: Names, domain: str) -> list[str]:
    """The DMARC records right at ``domain``."""
    return [t for t in names.texts(f"_dmarc.{domain}") if re.match(r"v\s*=\s*DMARC1\s*(;|$)", t)]


def walk_up(domain: str) -> Iterator[str]:
    """``domain`` and what is above it, down to two labels."""
    labels = domain.split(".")
    for start in range(max(len(labels) - 1, 1)):
        yield ".".join(labels[start:])


def organisation(names: Names, domain: str) -> str:
    """The domain of the organisation that ``domain`` belongs to."""
    with_policy = [d for d in walk_up(domain) if len(records(names, d)) == 1]
    return with_policy[-1] if with_policy else domain


def policy_of(names: Names, domain: str) -> Policy | None:
    """The policy that receivers find for ``domain``; None where there is none, or more than one."""
    for place in walk_up(domain):
        found = records(names, place)
        if found:
            return Policy(domain=place, record=found[0], tags=_tags(found[0])) if len(found) == 1 else None
    return None


def check_dmarc(names: Names, domain: str) -> DomainFinding:
    """What a receiver would do with mail of ``domain`` that fails."""
    name = f"_dmarc.{domain}"
    policy = policy_of(names, domain)
    if policy is None:
        several = len(records(names, domain)) > 1
        return DomainFinding(
            check="dmarc",
            verdict="failed",
            name=name,
            detail="there are several policies, so none counts" if several else "there is no policy v=DMARC1",
            publish="" if several else f"{name} TXT v=DMARC1; p=none; rua=mailto:dmarc@{domain}",
        )
    inherited = policy.domain != domain
    asked = (policy.tags.get("sp") if inherited else None) or policy.tags.get("p", "")
    where = f"that of {policy.domain}" if inherited else ""
    finding = DomainFinding(check="dmarc", verdict="ok", name=f"_dmarc.{policy.domain}", record=policy.record)
    if asked.lower() not in POLICIES:
        detail = f"p={asked or 'nothing'} is no policy: {', '.join(POLICIES)}"
        return _with(finding, "failed", [detail, where])
    warnings = list(_warnings(names, policy, asked.lower()))
    return _with(finding, "warning" if warnings else "ok", [f"p={asked.lower()}", where, *warnings])


def _with(finding: DomainFinding, verdict: Verdict, details: list[str]) -> DomainFinding:
    return replace(finding, verdict=verdict, detail=" · ".join(filter(None, details)))


def _warnings(names: Names, policy: Policy, asked: str) -> Iterator[str]:
    if asked == "none":
        yield "mail that fails is delivered all the same"
    if policy.tags.get("pct", "100") != "100":
        yield f"only {policy.tags['pct']} % of the mail is judged"
    rua = policy.tags.get("rua", "")
    if not rua:
        yield "nobody gets reports (rua)"
    for address in filter(None, (a.strip() for a in rua.split(","))):
        match = _ADDRESS.fullmatch(address)
        if match is None:
            yield f"rua: {address!r} is no mailto: address"
        elif not _may_get_reports(names, policy.domain, match["domain"].lower()):
            yield f"rua: {match['domain']} does not say that it takes reports for {policy.domain} (RFC 7489, 7.1)"


def _may_get_reports(names: Names, domain: str, receiver: str) -> bool:
    if organisation(names, receiver) == organisation(names, domain) or receiver.endswith(f".{domain}"):
        return True
    allowed = (f"{domain}._report._dmarc.{receiver}", f"*._report._dmarc.{receiver}")
    return any(text.replace(" ", "").startswith("v=DMARC1") for name in allowed for text in names.texts(name))


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}
