"""Look at a domain as receivers of its mail do: can it be answered, who may send for it, and whose signature counts?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sfactl.api.mail import ascii_domain, sender_domain
from sfactl.api.records import DomainFinding, Verdict
from sfactl_sender_smtp.domain.dkim_key import check_key
from sfactl_sender_smtp.domain.dmarc import check_dmarc, organisation, policy_of
from sfactl_sender_smtp.domain.names import Names
from sfactl_sender_smtp.domain.spf import check_spf
from sfactl_sender_smtp.keys import SigningKey
from sfactl_sender_smtp.settings import SmtpSettings


def check_domain(
    names: Names, domain: str, settings: SmtpSettings, keys: Sequence[SigningKey], selectors: Sequence[str]
) -> Iterator[DomainFinding]:
    """What is published for mail ``From`` ``domain``, sent as ``settings`` say and signed with ``keys``.

    ``selectors`` are looked at besides those of the keys: of keys that somebody else signs with.
    """
    bounces = sender_domain(settings.return_path) if settings.return_path else domain
    signer = ascii_domain(settings.dkim_domain) or domain
    yield from (_mail_servers(names, d) for d in dict.fromkeys((domain, bounces)))
    # SPF is about the domain that mail is returned to, not the one that readers see (RFC 7208, 2.4).
    yield check_spf(names, bounces, settings.host)
    own = {key.selector: key for key in keys}
    yield from (check_key(names, signer, s, own.get(s)) for s in dict.fromkeys((*own, *selectors)))
    if not own and not selectors:
        yield DomainFinding(
            check="dkim",
            verdict="warning",
            name=f"_domainkey.{signer}",
            detail="this sender signs nothing; for a key that your provider signs with: --selector NAME",
        )
    yield check_dmarc(names, domain)
    yield _aligned(names, domain, bounces, signer if own or selectors else "")


def _mail_servers(names: Names, domain: str) -> DomainFinding:
    found = names.mail_servers(domain)
    record = " ".join(found)
    if found and any(found):
        return DomainFinding(check="mx", verdict="ok", name=domain, record=record)
    what = "it says that it takes no mail (RFC 7505)" if found else "nobody takes mail for it"
    if not found and names.addresses(domain):
        return DomainFinding(check="mx", verdict="warning", name=domain, detail="no MX; mail goes to the host itself")
    detail = f"{what}: answers and returned mail are lost"
    return DomainFinding(check="mx", verdict="failed", name=domain, record=record, detail=detail)


def _aligned(names: Names, domain: str, bounces: str, signer: str) -> DomainFinding:
    """DMARC counts SPF and DKIM only for the domain that readers see, or its organisation's (RFC 7489, 3.1)."""
    policy = policy_of(names, domain)
    ours = organisation(names, domain)

    def fits(other: str, *, strict: bool) -> bool:
        return other == domain or (not strict and organisation(names, other) == ours)

    spf = fits(bounces, strict=policy is not None and policy.strict("aspf"))
    signed = bool(signer) and fits(signer, strict=policy is not None and policy.strict("adkim"))
    said = [f"returned mail goes to {bounces}: {'counts' if spf else 'does not count'}"]
    said += [f"signed by {signer}: {'counts' if signed else 'does not count'}"] if signer else ["not signed by us"]
    # SPF breaks when mail is forwarded, so that only the signature always carries the domain (RFC 7489, 10.1).
    verdict: Verdict = "ok" if signed else "warning" if spf else "failed"
    return DomainFinding(check="alignment", verdict=verdict, name=domain, detail=" · ".join(said))
