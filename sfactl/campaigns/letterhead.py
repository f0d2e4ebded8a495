"""What every message of a workspace carries: who we are, and the links by which a reader has a say.

It decides where a reader unsubscribes: at the collector, at an address that the campaign names, or both. Nothing here
depends on the time, so that a message written again has the same links.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from sfactl.api.errors import ConfigError
from sfactl.campaigns.model import Campaign
from sfactl.engine.links import PATHS, Link

if TYPE_CHECKING:
    from sfactl.engine.links import Purpose, Signer

Say = Literal["unsubscribe", "preferences", "confirm", "survey"]
SAYS: tuple[Say, ...] = ("unsubscribe", "preferences", "confirm", "survey")
"""The links that a template may print as ``message.NAME``."""


_LONGEST = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """The workspace as its readers see it. ``collector`` is the address that signed links lead to; empty: none.

    ``feedback_id`` is what mailbox providers know it as where they count complaints.
    """

    name: str
    address: str = ""
    collector: str = ""
    feedback_id: str = ""
    signer: Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The links of one message; one that there is not is empty. ``others`` are further ways to unsubscribe."""

    unsubscribe: str = ""
    others: tuple[str, ...] = ()
    preferences: str = ""
    confirm: str = ""
    survey: str = ""

    def printed(self) -> Mapping[str, str]:
        """What a template sees as ``message``."""
        return {name: getattr(self, name) for name in SAYS}

    def headers(self) -> Mapping[str, str]:
        """List-Unsubscribe (RFC 2369, 3.2) and, where the first link takes a POST, List-Unsubscribe-Post (RFC 8058)."""
        if not self.unsubscribe:
            return {}
        links = ", ".join(f"<{link}>" for link in (self.unsubscribe, *self.others))
        # A link may be neither folded nor encoded (RFC 2369, 2), and a line has its end (RFC 5322, 2.1.1).
        found = {"List-Unsubscribe": links if len(links) <= _LONGEST else f"<{self.unsubscribe}>"}
        if self.unsubscribe.startswith("https:"):
            found["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058, 3.1
        return found


def ways_of(
    campaign: Campaign, step: str, key: str, lead_id: int, letterhead: Letterhead, *, printed: Collection[str] = SAYS
) -> Ways:
    """The links of the message ``key`` to a lead; of those that no header has, only the ones that are ``printed``."""

    def link(purpose: Purpose) -> Link:
        return Link(
            purpose=purpose,
            message_key=key,
            lead_id=lead_id,
            campaign=campaign.name,
            step=step,
            target=campaign.topic,
        )

    base = letterhead.collector.rstrip("/")
    signed = "{key}" in campaign.unsubscribe or base
    token = letterhead.signer.token(link("unsubscribe")) if signed else ""
    own = campaign.unsubscribe.replace("{key}", quote(token, safe=""))
    if not base:
        return Ways(unsubscribe=own)
    ours = f"{base}/{PATHS['unsubscribe']}/{token}"
    # RFC 8058, 3.1: one link that takes a POST; a mail program that cannot may still write a letter.
    first, others = (own, ()) if own.startswith("http") else (ours, (own,) if own else ())
    return Ways(
        unsubscribe=first,
        others=others,
        preferences=letterhead.signer.url(base, link("preferences")) if "preferences" in printed else "",
        confirm=letterhead.signer.url(base, link("confirm")) if "confirm" in printed else "",
        survey=letterhead.signer.url(base, link("survey")) if "survey" in printed else "",
    )


def check_ways(campaign: Campaign, used: Mapping[str, frozenset[str]], collector: str, where: str) -> None:
    """Refuse a campaign whose templates print a link that its messages would not have.

    ``used`` has the names printed as ``message.NAME`` by template. Raises `ConfigError`.
    """
    if campaign.track and not collector:
        raise ConfigError(
            f"{where}: track: there is no collector that clicks and openings could be counted at",
            hint="Set url under [collect] in sfactl.toml.",
        )
    for template, names in sorted(used.items()):
        if "unsubscribe" in names and not (collector or campaign.unsubscribe):
            raise ConfigError(
                f"{where}: unsubscribe: missing, and template {template!r} prints message.unsubscribe",
                hint="Name an address here, or set url under [collect] in sfactl.toml.",
            )
        for name in sorted(names - {"unsubscribe"}):
            if not collector:
                raise ConfigError(
                    f"{where}: template {template!r} prints message.{name}, and there is no collector to lead to",
                    hint="Set url under [collect] in sfactl.toml.",
                )
