"""Look at a mail domain through a sender: the core asks no DNS, and what is right depends on who sends and signs."""

from __future__ import annotations

from dataclasses import dataclass

from sfactl.api.errors import ConfigError, DataError
from sfactl.api.mail import ascii_domain
from sfactl.api.protocols import DomainChecker
from sfactl.api.records import DomainFinding
from sfactl.session import Session

CAPABILITY = "domains"


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
    name = sender or _only_one(session)
    table = session.settings.senders.get(name)
    if table is None:
        known = ", ".join(sorted(session.settings.senders)) or "none"
        raise ConfigError(f"there is no senders/{name}.toml (there are: {known})")
    use = str(table.get("use", ""))
    where = str(session.folder / "senders" / f"{name}.toml")
    made = session.host.make("touchpoint_sender", use, table, where=where)
    try:
        if not isinstance(made, DomainChecker):
            raise ConfigError(f"senders/{name}.toml: {use} cannot look up domains", hint='One with use = "smtp" can.')
        findings = tuple(made.check_domain(_domain(domain), selectors))
    finally:
        made.close()
    return DomainReport(domain=_domain(domain), sender=name, findings=findings)


def _only_one(session: Session) -> str:
    offers = session.host.offers("touchpoint_sender")
    able = {name for name, found in offers.items() if CAPABILITY in found.offer.capabilities}
    fit = sorted(name for name, table in session.settings.senders.items() if table.get("use") in able)
    if len(fit) == 1:
        return fit[0]
    if fit:
        raise ConfigError(f"several senders can look: {', '.join(fit)}", hint=f"Say which one: --sender {fit[0]}")
    raise ConfigError(
        "no sender here can look up domains",
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
