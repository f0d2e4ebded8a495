"""Write the one message for one recipient: texts from the template, headers that bulk mail owes its readers.

It decides the headers of a list (RFC 2369, 2919, 8058) and never writes Precedence, which no standard knows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sfactl.api.errors import DataError
from sfactl.api.mail import address
from sfactl.api.records import Message
from sfactl.campaigns.assets import with_pictures
from sfactl.campaigns.candidates import values_of
from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.letterhead import Letterhead, Ways, ways_of
from sfactl.campaigns.model import Campaign
from sfactl.campaigns.tracking import Tracker, track_html, track_text
from sfactl.engine.links import Link

_LONGEST_FIELD = 60


def write_message(row: Mapping[str, Any], files: CampaignFiles, letterhead: Letterhead) -> Message:
    """The message for ``row``: an item of a plan together with the values of its recipient.

    ``auto_submitted``, ``in_reply_to`` and ``references`` are headers that it may have beside them.
    Raises `DataError` where a value is missing, a header has a line break or the sender is no address.
    """
    campaign = files.campaign
    step = campaign.step(row["step"])
    template = files.templates[step.template]
    number = sorted(files.templates).index(step.template) + 1
    wording = template.wordings[row[f"wording_{number}"]]
    printed = [field for owner, field in wording.used if owner == "message"]
    ways = ways_of(campaign, step.name, row["message_key"], row["lead_id"], letterhead, printed=printed)
    workspace = {"name": letterhead.name, "address": letterhead.address}
    rendered = wording.render(values_of(row, files, workspace=workspace, message=ways.printed()))
    channel = row["channel"]
    along = files.assets.get((template.name, wording.language), ()) if channel == "email" else ()
    text, html = rendered.text, rendered.html and with_pictures(rendered.html, along)
    if campaign.track and channel == "email" and letterhead.collector:
        link = Link(
            purpose="click",
            message_key=row["message_key"],
            lead_id=row["lead_id"],
            campaign=campaign.name,
            step=step.name,
        )
        text, html = _tracked(text, html, campaign, Tracker(link, letterhead, (ways.unsubscribe, *ways.others)))
    message = Message(
        key=row["message_key"],
        channel=channel,
        recipient=row["recipient"],
        sender=campaign.sent_as,
        subject=rendered.subject,
        text=text,
        html=html,
        headers=_headers(campaign, ways, wording.language, row, letterhead.feedback_id) if channel == "email" else {},
        lead_id=row["lead_id"],
        campaign=campaign.name,
        step=step.name,
        attachments=along,
    )
    _check_headers(message)
    return message


def payload_hash(message: Message) -> str:
    """SHA-256 of all that the receiver would see."""
    shown = [message.channel, message.recipient, message.sender, message.subject, message.text, message.html]
    along = [[a.name, a.content_type, a.sha256, a.inline] for a in message.attachments]
    text = json.dumps([*shown, sorted(message.headers.items()), *([along] if along else [])], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _tracked(text: str, html: str | None, campaign: Campaign, tracker: Tracker) -> tuple[str, str | None]:
    clicks, opens = "clicks" in campaign.track, "opens" in campaign.track
    return (
        track_text(text, tracker) if clicks else text,
        None if html is None else track_html(html, tracker, clicks=clicks, opens=opens),
    )


def list_id(campaign: Campaign) -> str:
    """The List-Id (RFC 2919) of a campaign: its topic, else itself, at the domain that it is sent from."""
    list_name = campaign.topic or campaign.name
    domain = address(campaign.sent_as).rpartition("@")[2].encode("idna").decode("ascii")
    label = list_name if list_name.isascii() else "x" + hashlib.sha256(list_name.encode()).hexdigest()[:20]
    return f"<{label.lower()}.{domain.lower()}>"


def feedback_id(campaign: Campaign, step: str, own: str) -> str:
    """The Feedback-ID by which Gmail counts complaints: campaign, step, class, and at the end ``own``.

    It never tells who the recipient is.
    """
    return ":".join([*map(_field, (campaign.name, step, campaign.message_class)), own])


def _field(text: str) -> str:
    if text.isascii() and len(text) <= _LONGEST_FIELD:
        return text
    return "x" + hashlib.sha256(text.encode()).hexdigest()[:20]


def _headers(campaign: Campaign, ways: Ways, language: str, row: Mapping[str, Any], own: str) -> dict[str, str]:
    # RFC 3834, 5: a message that no person wrote says so, so that no robot answers it.
    headers = {"Auto-Submitted": row.get("auto_submitted") or "auto-generated", "Content-Language": language}
    if row.get("in_reply_to"):
        headers |= {"In-Reply-To": row["in_reply_to"], "References": row["references"]}
    if campaign.reply_to:
        headers["Reply-To"] = campaign.reply_to
    if own:
        headers["Feedback-ID"] = feedback_id(campaign, row["step"], own)
    if campaign.marketing:
        headers |= {"List-Id": list_id(campaign), **ways.headers()}
    return headers


def _check_headers(message: Message) -> None:
    values = {"from": message.sender, "to": message.recipient, **message.headers}
    for name, value in values.items():
        if any(c in value for c in "\r\n\0"):
            raise DataError(f"campaign {message.campaign}: header {name} has a line break: {value!r}")
    if message.channel == "email":
        try:
            address(message.sender)
        except ValueError as err:
            raise DataError(f"campaign {message.campaign}: from: {err}") from None
