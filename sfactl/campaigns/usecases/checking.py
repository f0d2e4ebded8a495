"""Check campaign files before anyone is written to, and show what one person would get."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sfactl.api.errors import ConfigError, DataError, NotFound, SfactlError, TryLater
from sfactl.api.mail import address
from sfactl.api.offers import TouchpointSenderOffer
from sfactl.api.protocols import TouchpointSender
from sfactl.campaigns.candidates import address_of, load_candidates
from sfactl.campaigns.files import CampaignFiles, campaign_names, check_links
from sfactl.campaigns.mail import write_message
from sfactl.campaigns.model import CHANNELS
from sfactl.campaigns.planning import judge, key_prefix, load_refusals
from sfactl.campaigns.senders.by_channel import ByChannel
from sfactl.campaigns.senders.person import KINDS
from sfactl.campaigns.usecases.scene import effects_of, letterhead_of, load_audience, place_of, read_files
from sfactl.config.senders import SenderPace, sender_pace
from sfactl.session import Session
from sfactl.workspace.aliases import living

PERSON = "person"
"""The sender that hands messages to people, and the name of its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to know about a campaign's files."""

    campaign: str
    severity: Literal["ok", "warning", "error"]
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What one step would be for one lead. ``verdict`` is what a plan made now would do."""

    step: str
    verdict: str
    channel: str
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    headers: str


def check(session: Session, names: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    """Look at campaigns, their templates, conditions and senders; by default all."""
    found: list[Finding] = []
    for name in names or campaign_names(session.folder):
        try:
            files = read_files(session, name)
            check_sender(session, files)
            with session.query() as query:
                load_audience(session, query, files, session.as_of_time())
        except SfactlError as err:
            found.append(Finding(campaign=name, severity="error", message=err.message))
            continue
        warnings = list(_warnings(files, session.settings.collect.url))
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


def preview(session: Session, name: str, lead_id: int) -> tuple[Preview, ...]:
    """Write every message of the campaign for one lead, and say what a plan made now would do with it."""
    files = read_files(session, name)
    place, letterhead = place_of(session), letterhead_of(session)
    at = session.as_of_time()
    with session.query() as query:
        lead_id = living(query, "lead", lead_id)
        if not query.get("leads", lead_id):
            raise NotFound(f"there is no lead {lead_id}")
        load_audience(session, query, files, at)
        (member,) = query.one("select count(*) from audience where lead_id = $lead", {"lead": lead_id}) or (0,)
        query.run("create or replace temp table audience as select cast($lead as bigint) as lead_id", {"lead": lead_id})
        load_candidates(query, files, place)
        load_refusals(query, files.campaign, place.house)
        judge(query, files, place, at=at, effects=effects_of(session.ledger.rows()))
        verdicts = {
            r[0]: " · ".join(x for x in r[1:] if x) for r in query.rows("select step, action, reason from plan_rows")
        }
        [row] = query.table("select * from candidates").to_pylist()
        channels = {s.channel or "email" for s in files.campaign.steps if s.action == "send"}
        addresses = {channel: address_of(query, row, channel) for channel in channels}
    prefix = key_prefix(files.campaign, place.tenant)
    shown = []
    for step in files.campaign.steps:
        verdict = verdicts.get(step.name, f"later, after {step.after.step}" if step.after else "")
        verdict = verdict if member else "not in the audience"
        if step.action == "task" and step.task:
            shown.append(_task(step.name, verdict, step.task.owner or row["owner"] or "", step.task.title))
            continue
        channel = step.channel or "email"
        recipient = addresses[channel]
        item = {"step": step.name, "channel": channel, "recipient": recipient or "nobody@invalid"}
        item["message_key"] = f"{prefix}{step.name}.{lead_id}.{files.campaign.rotation}"
        try:
            m = write_message({**row, **item}, files, letterhead)
        except DataError as err:
            raise DataError(f"lead {lead_id}, step {step.name}: {err.message}", hint=err.hint) from None
        shown.append(
            Preview(
                step=step.name,
                verdict=verdict,
                channel=channel,
                sender=m.sender,
                recipient=recipient,
                subject=m.subject,
                text=m.text,
                html=m.html or "",
                headers="\n".join(f"{k}: {v}" for k, v in m.headers.items()),
            )
        )
    return tuple(shown)


def _task(step: str, verdict: str, owner: str, title: str) -> Preview:
    return Preview(
        step=step,
        verdict=verdict,
        channel="task",
        sender="",
        recipient=owner,
        subject=title,
        text="",
        html="",
        headers="",
    )


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


def _warnings(files: CampaignFiles, collector: str) -> list[str]:
    campaign = files.campaign
    found = []
    mails = any(s.action == "send" and (s.channel or "email") == "email" for s in campaign.steps)
    if mails and campaign.marketing and not (campaign.unsubscribe or collector):
        found.append(
            "unsubscribe: marketing e-mail without a way out (List-Unsubscribe) is refused by large mailbox providers"
        )
    if campaign.marketing and not campaign.caps:
        found.append("caps: nothing limits how many messages one person gets")
    return found
