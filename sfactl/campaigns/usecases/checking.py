"""Check campaign files before anyone is written to, and have their sender ready."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sfactl.api.errors import ConfigError, SfactlError, TryLater
from sfactl.api.mail import address
from sfactl.api.offers import TouchpointSenderOffer
from sfactl.api.protocols import TouchpointSender
from sfactl.campaigns.files import BY_VOICE, CampaignFiles, campaign_names, check_links
from sfactl.campaigns.lint import sender_remarks
from sfactl.campaigns.model import CHANNELS
from sfactl.campaigns.senders.by_channel import ByChannel
from sfactl.campaigns.senders.person import KINDS
from sfactl.campaigns.usecases.keeping import check_carrier, keep_assets
from sfactl.campaigns.usecases.scene import load_audience, read_files
from sfactl.config.senders import SenderPace, sender_pace
from sfactl.config.settings import Settings
from sfactl.session import Session

PERSON = "person"
"""The sender that hands messages to people, and the name of its file."""
_NO_COLLECTOR = "nobody can answer it yet: set url under [collect] in sfactl.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to know about a campaign's files."""

    campaign: str
    severity: Literal["ok", "warning", "error"]
    message: str


def check(session: Session, names: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    """Look at campaigns, their templates, conditions and senders; by default all."""
    found: list[Finding] = []
    for name in names or campaign_names(session.folder):
        try:
            files = read_files(session, name)
            if files.survey and files.survey.channel not in BY_VOICE and not session.settings.collect.url:
                found.append(Finding(campaign=name, severity="warning", message=_NO_COLLECTOR))
                continue
            check_sender(session, files)
            with session.query() as query:
                load_audience(session, query, files, session.as_of_time())
        except SfactlError as err:
            found.append(Finding(campaign=name, severity="error", message=err.message))
            continue
        table = session.settings.senders.get(files.campaign.sender, {})
        warnings = list(_warnings(files, session.settings, table))
        warnings += _handed(files, session)
        found += [Finding(campaign=name, severity="warning", message=w) for w in warnings]
        if not warnings:
            steps = ", ".join(s.name for s in files.campaign.steps)
            found.append(Finding(campaign=name, severity="ok", message=f"steps {steps}"))
    return tuple(found)


def check_sender(session: Session, files: CampaignFiles) -> None:
    """Refuse a campaign whose sender is not there or not installed, or a channel that nobody has heard of."""
    campaign = files.campaign
    check_links(files, session.settings.collect.url)
    channels = {s.channel or "email" for s in campaign.steps if s.action == "send"}
    if not channels:
        return
    offer = sender_offer(session, files)
    pace_of(session, files)
    check_carrier(files, campaign.sender, offer.capabilities)
    for channel in by_hand(files, offer):
        if channel not in (known := _channels(session)):
            near = difflib.get_close_matches(channel, known, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}"
            raise ConfigError(
                f"{files.path}: sender {campaign.sender!r} sends {offer.channel}, and {channel!r} is no channel",
                hint=hint,
            )
    if "email" in channels:
        try:
            address(campaign.sent_as)
        except ValueError:
            raise ConfigError(f"{files.path}: from: {campaign.sent_as!r} is not an e-mail address") from None


def by_hand(files: CampaignFiles, offer: TouchpointSenderOffer) -> list[str]:
    """The channels of the campaign's messages that its sender does not speak: those are handed to people."""
    channels = {s.channel or "email" for s in files.campaign.steps if s.action == "send"}
    return [] if offer.channel == "any" else sorted(channels - {offer.channel})


def steps_by_hand(session: Session, files: CampaignFiles) -> dict[str, str]:
    """The steps whose messages are handed to people, with their channels."""
    sends = [s for s in files.campaign.steps if s.action == "send"]
    handed = by_hand(files, sender_offer(session, files)) if sends else []
    return {s.name: s.channel or "email" for s in sends if (s.channel or "email") in handed}


def _channels(session: Session) -> list[str]:
    """Every channel there is: those with an address of their own, those of people, and those of installed senders."""
    offers = [found.offer for found in session.host.offers("touchpoint_sender").values()]
    spoken = {offer.channel for offer in offers if isinstance(offer, TouchpointSenderOffer)}
    return sorted({*CHANNELS, *KINDS, *spoken} - {"any"})


def sender_offer(session: Session, files: CampaignFiles) -> TouchpointSenderOffer:
    """What the campaign's sender promises."""
    name = files.campaign.sender
    table = session.settings.senders.get(name)
    if table is None:
        known = ", ".join(sorted(session.settings.senders)) or "none"
        raise ConfigError(f"{files.path}: sender: there is no senders/{name}.toml (there are: {known})")
    offer = session.host.find("touchpoint_sender", str(table.get("use", ""))).offer
    assert isinstance(offer, TouchpointSenderOffer)
    return offer


def make_sender(session: Session, files: CampaignFiles) -> TouchpointSender:
    """The campaign's sender, ready. Raises `TryLater` if it cannot be reached: nothing is claimed then."""
    check_sender(session, files)
    keep_assets(session, files)
    name = files.campaign.sender
    sender = new_sender(session, files)
    report = sender.check()
    if report.problems:
        sender.close()
        raise TryLater(
            f"sender {name}: {'; '.join(report.problems)}", hint="Nothing was sent. Run the same command again later."
        )
    return sender


def new_sender(session: Session, files: CampaignFiles) -> TouchpointSender:
    """One more connection of the campaign's sender, not yet tried; what it cannot send becomes work for people."""
    name = files.campaign.sender
    sender = _make(session, name, session.settings.senders[name])
    offer = sender_offer(session, files)
    if not by_hand(files, offer):
        return sender
    people = next((n for n, t in sorted(session.settings.senders.items()) if t.get("use") == PERSON), PERSON)
    person = _make(session, people, session.settings.senders.get(people, {"use": PERSON}))
    return ByChannel(offer.channel, sender, person)


def _make(session: Session, name: str, table: Mapping[str, Any]) -> TouchpointSender:
    return session.host.make("touchpoint_sender", str(table["use"]), table, where=_sender_file(session, name))


def pace_of(session: Session, files: CampaignFiles) -> SenderPace:
    """How fast the campaign's sender may be used. Raises `ConfigError`."""
    name = files.campaign.sender
    return sender_pace(session.settings.senders.get(name, {}), where=_sender_file(session, name))


def _sender_file(session: Session, name: str) -> str:
    return str(session.folder / "senders" / f"{name}.toml")


def _handed(files: CampaignFiles, session: Session) -> list[str]:
    campaign = files.campaign
    if not any(s.action == "send" for s in campaign.steps):
        return []
    offer = sender_offer(session, files)
    return [
        f"sender {campaign.sender} sends {offer.channel}: each message by {channel} becomes a task for a person"
        for channel in by_hand(files, offer)
        if channel not in KINDS
    ]


def _warnings(files: CampaignFiles, settings: Settings, table: Mapping[str, object]) -> list[str]:
    campaign = files.campaign
    found = []
    mails = any(s.action == "send" and (s.channel or "email") == "email" for s in campaign.steps)
    if mails and campaign.marketing and not (campaign.unsubscribe or settings.collect.url):
        found.append(
            "unsubscribe: marketing e-mail without a way out (List-Unsubscribe) is refused by large mailbox providers"
        )
    found += sender_remarks(campaign, table, feedback_id=settings.touch.feedback_id)
    if campaign.marketing and not campaign.caps and not settings.touch.caps:
        found.append("caps: nothing limits how many messages one person gets")
    return found
