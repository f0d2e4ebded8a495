"""Show what one person would get, without sending anything."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sfactl.api.errors import DataError, NotFound, UserError
from sfactl.api.records import Attachment, Message
from sfactl.campaigns.candidates import address_of, ids_of, load_candidates
from sfactl.campaigns.files import CampaignFiles, check_links
from sfactl.campaigns.letterhead import Letterhead
from sfactl.campaigns.mail import write_message
from sfactl.campaigns.model import Step
from sfactl.campaigns.planning import judge, key_prefix, load_refusals
from sfactl.campaigns.rounds import not_due
from sfactl.campaigns.usecases.scene import effects_of, letterhead_of, load_audience, place_of, read_files
from sfactl.engine.duck import Query
from sfactl.engine.links import NOBODY
from sfactl.session import Session
from sfactl.workspace.aliases import living


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What one step would be for one lead. ``verdict`` is what a plan made now would do.

    ``pictures`` has each picture in the HTML as a data URL, by its content id.
    """

    step: str
    verdict: str
    channel: str
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    headers: str
    language: str = ""
    attached: tuple[str, ...] = ()
    pictures: Mapping[str, str] = field(default_factory=dict)


def preview(session: Session, name: str, lead_id: int, *, step: str = "") -> tuple[Preview, ...]:
    """Write every message of the campaign, or that of one step, for one lead; say what a plan made now would do.

    Raises `NotFound` for a lead or step that is not there, `DataError` where a message cannot be written.
    """
    files = read_files(session, name)
    check_links(files, session.settings.collect.url)
    steps = chosen_steps(files, step)
    place, letterhead = place_of(session), letterhead_of(session)
    at = session.as_of_time()
    with session.query() as query:
        lead_id = known_lead(query, lead_id)
        load_audience(session, query, files, at)
        (member,) = query.one("select count(*) from audience where lead_id = $lead", {"lead": lead_id}) or (0,)
        row = one_person(session, query, files, lead_id)
        load_refusals(query, files.campaign, place.house)
        judge(query, files, place, at=at, effects=effects_of(session.ledger.rows()))
        verdicts = {
            r[0]: " · ".join(x for x in r[1:] if x) for r in query.rows("select step, action, reason from plan_rows")
        }
        if files.campaign.occasion and member:
            verdicts.setdefault(files.campaign.steps[0].name, f"wait · {not_due(query, lead_id)[0]}")
    shown = []
    for each in steps:
        verdict = verdicts.get(each.name, f"later, after {each.after.step}" if each.after else "")
        verdict = verdict if member else "not in the audience"
        if each.action == "task" and each.task:
            shown.append(_task(each.name, verdict, each.task.owner or row["owner"] or "", each.task.title))
        else:
            key = f"{key_prefix(files.campaign, place.tenant)}{each.name}.{lead_id}.{files.campaign.rotation}"
            shown.append(shown_as(write_for(row, files, each, letterhead, key=key), verdict))
    return tuple(shown)


def preview_steps(session: Session, files: CampaignFiles, lead_id: int, *, step: str = "") -> tuple[Preview, ...]:
    """Every message of ``files``, or that of one step, for one lead, whoever it is for. Raises as `preview`."""
    check_links(files, session.settings.collect.url)
    with session.query() as query:
        row = one_person(session, query, files, known_lead(query, lead_id))
    prefix, head = key_prefix(files.campaign, place_of(session).tenant), letterhead_of(session)
    steps = [s for s in chosen_steps(files, step) if s.action == "send"]
    keys = [f"{prefix}{s.name}.{row['lead_id']}.{files.campaign.rotation}" for s in steps]
    return tuple(
        shown_as(write_for(row, files, s, head, key=key), "when the lead stands there")
        for s, key in zip(steps, keys, strict=True)
    )


def chosen_steps(files: CampaignFiles, name: str) -> tuple[Step, ...]:
    """All steps, or the one called ``name``. Raises `NotFound`."""
    found = tuple(s for s in files.campaign.steps if not name or s.name == name)
    if not found:
        known = ", ".join(s.name for s in files.campaign.steps)
        raise NotFound(f"{files.campaign.name} has no step {name!r}", hint=f"Its steps: {known}")
    return found


def known_lead(query: Query, lead_id: int) -> int:
    """The number that a lead is known by now. Raises `NotFound`."""
    lead_id = living(query, "lead", lead_id)
    if not query.get("leads", lead_id):
        raise NotFound(f"there is no lead {lead_id}")
    return lead_id


def one_person(session: Session, query: Query, files: CampaignFiles, lead_id: int) -> dict[str, Any]:
    """The values of one lead, as a message is written from. Makes the tables audience and candidates."""
    query.run("create or replace temp table audience as select cast($lead as bigint) as lead_id", {"lead": lead_id})
    load_candidates(query, files, place_of(session))
    [row] = query.table("select * from candidates").to_pylist()
    return {**row, "channel_ids": ids_of(query, lead_id)}


def write_for(
    row: Mapping[str, Any], files: CampaignFiles, step: Step, letterhead: Letterhead, *, key: str, to: str = ""
) -> Message:
    """The message of ``step`` for ``row``, to their own address or to another. Raises `DataError` naming the lead.

    Its links are nobody's: who looks at it and unsubscribes there unsubscribes no one.
    """
    channel = step.channel or "email"
    recipient = to or address_of(row, channel)
    item = {"step": step.name, "channel": channel, "recipient": recipient, "message_key": key, "lead_id": NOBODY}
    try:
        return write_message({**row, **item}, files, letterhead)
    except DataError as err:
        raise DataError(f"lead {row['lead_id']}, step {step.name}: {err.message}", hint=err.hint) from None


def shown_as(message: Message, verdict: str) -> Preview:
    """A message as it is shown."""
    return Preview(
        step=message.step,
        verdict=verdict,
        channel=message.channel,
        sender=message.sender,
        recipient=message.recipient,
        subject=message.subject,
        text=message.text,
        html=message.html or "",
        headers="\n".join(f"{k}: {v}" for k, v in message.headers.items()),
        language=message.headers.get("Content-Language", ""),
        attached=tuple(_said(a) for a in message.attachments),
        pictures={a.content_id: _data_url(a) for a in message.attachments if a.inline},
    )


def _said(a: Attachment) -> str:
    size = f"{len(a.content) / 1024:,.0f} KB" if len(a.content) >= 1024 else f"{len(a.content)} bytes"
    return f"{a.name} ({'picture' if a.inline else a.content_type}, {size}, SHA-256 {a.sha256[:12]}…)"


def _data_url(a: Attachment) -> str:
    return f"data:{a.content_type};base64,{base64.b64encode(a.content).decode('ascii')}"


def wording_of(files: CampaignFiles, template: str, language: str) -> str:
    """The wording of a template in exactly ``language``. Raises `UserError`."""
    known = files.templates[template].wordings
    if language not in known:
        raise UserError(f"template {template} has no wording in {language!r}", hint=f"It has: {', '.join(known)}")
    return language


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
