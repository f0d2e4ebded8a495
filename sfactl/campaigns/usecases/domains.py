"""Look at a mail domain, and sign a mail, through a sender: it has the keys, and asks DNS; the core does neither."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.parser import BytesParser

from sfactl.api.errors import ConfigError, DataError
from sfactl.api.mail import ascii_domain, sender_domain
from sfactl.api.protocols import DomainChecker, MailSigner, TouchpointSender
from sfactl.api.records import DomainFinding
from sfactl.session import Session

LOOKS, SIGNS = "domains", "signs"
_BREAK = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainReport:
    """What was found for mail From ``domain`` that ``sender`` sends."""

    domain: str
    sender: str
    findings: tuple[DomainFinding, ...]

    @property
    def failed(self) -> bool:
        """Whether receivers would hold something against the mail."""
        return any(finding.verdict == "failed" for finding in self.findings)


def check_domain(session: Session, domain: str, *, sender: str = "", selectors: tuple[str, ...] = ()) -> DomainReport:
    """What DNS says about mail From ``domain``, through the sender of that name or the only one that can look."""
    name, made = _made(session, sender, LOOKS, "look up domains")
    try:
        if not isinstance(made, DomainChecker):
            raise ConfigError(f"senders/{name}.toml: it cannot look up domains", hint='One with use = "smtp" can.')
        findings = tuple(made.check_domain(_domain(domain), selectors))
    finally:
        made.close()
    return DomainReport(domain=_domain(domain), sender=name, findings=findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedMail:
    """A mail with its signatures in front, as it travels; ``keys`` says where DNS must publish which key."""

    mail: bytes
    sender: str
    keys: tuple[str, ...]


def sign_mail(session: Session, mail: bytes, *, sender: str = "", domain: str = "") -> SignedMail:
    """Sign ``mail`` with the DKIM keys of ``sender``, or of the only one that can, for the domain it is from.

    Lines end with CRLF in what is signed and answered (RFC 5322, 2.1). Raises `DataError` for what is no e-mail,
    `ConfigError` without a key.
    """
    travels = _BREAK.sub(b"\r\n", mail)
    author = str(BytesParser().parsebytes(travels, headersonly=True).get("From", ""))
    if not author.strip():
        raise DataError("there is no From in it: this is no e-mail that somebody could answer for")
    try:
        own, wanted = sender_domain(author), _domain(domain) if domain else ""
    except ValueError as err:
        raise DataError(f"From: {err}") from None
    name, made = _made(session, sender, SIGNS, "sign mail")
    try:
        if not isinstance(made, MailSigner):
            raise ConfigError(f"senders/{name}.toml: it cannot sign mail", hint='One with use = "smtp" can.')
        headers, keys = made.signatures(travels, own, wanted)
    finally:
        made.close()
    return SignedMail(mail=headers + travels, sender=name, keys=tuple(keys))


def _made(session: Session, sender: str, capability: str, does: str) -> tuple[str, TouchpointSender]:
    """The sender of that name, or the only one with the capability."""
    name = sender or _only_one(session, capability, does)
    table = session.settings.senders.get(name)
    if table is None:
        known = ", ".join(sorted(session.settings.senders)) or "none"
        raise ConfigError(f"there is no senders/{name}.toml (there are: {known})")
    where = str(session.folder / "senders" / f"{name}.toml")
    return name, session.host.make("touchpoint_sender", str(table.get("use", "")), table, where=where)


def _only_one(session: Session, capability: str, does: str) -> str:
    offers = session.host.offers("touchpoint_sender")
    able = {name for name, found in offers.items() if capability in found.offer.capabilities}
    fit = sorted(name for name, table in session.settings.senders.items() if table.get("use") in able)
    if len(fit) == 1:
        return fit[0]
    if fit:
        raise ConfigError(f"several senders can {does}: {', '.join(fit)}", hint=f"Say which one: --sender {fit[0]}")
    raise ConfigError(
        f"no sender here can {does}",
        hint='Write senders/NAME.toml with use = "smtp" (pip install sfactl-sender-smtp); the core asks no DNS itself.',
    )


def _domain(text: str) -> str:
    """The domain in ``text``, which may be an address or a link."""
    bare = text.strip().rpartition("@")[2].partition("://")[2] or text.strip().rpartition("@")[2]
    bare = bare.partition("/")[0].rstrip(".").lower()
    try:
        found = ascii_domain(bare)
    except ValueError as err:
        raise DataError(f"{text!r} is no domain: {err}") from None
    if "." not in found or any(not label or len(label) > 63 or " " in label for label in found.split(".")):
        raise DataError(f"{text!r} is no domain", hint="Write it as acme.example.")
    return found
