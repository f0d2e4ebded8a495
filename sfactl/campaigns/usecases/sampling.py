"""Send a campaign's messages to an address of one's own, to see them arrive. A test counts for nobody.

It has a key of its own in the ledger, so that the same test is sent once, and its links belong to no lead: whoever
clicks or unsubscribes there changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from sfactl.api.errors import PolicyError, UserError
from sfactl.api.records import Message, Outcome, Receipt
from sfactl.campaigns.files import CampaignFiles, check_links
from sfactl.campaigns.mail import payload_hash
from sfactl.campaigns.model import Step
from sfactl.campaigns.planning import key_prefix
from sfactl.campaigns.usecases.checking import by_hand, check_sender, make_sender, sender_offer
from sfactl.campaigns.usecases.previewing import chosen_steps, known_lead, one_person, write_for
from sfactl.campaigns.usecases.scene import halted_by, letterhead_of, load_audience, place_of, read_files
from sfactl.engine.duck import Query
from sfactl.session import Session
from sfactl.workspace.ledger import Effect, Lease

KIND = "test"
"""What test messages are in the ledger: no gate, cap or report reads them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleMessage:
    """One test message and what became of it; ``before`` is what became of the same when it was sent already."""

    step: str
    recipient: str
    subject: str
    outcome: Outcome | None
    detail: str
    before: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleResult:
    """What a test sent, as which lead."""

    campaign: str
    lead_id: int
    sender: str
    messages: tuple[SampleMessage, ...]
    dry_run: bool

    @property
    def failed(self) -> bool:
        """Whether a message was neither taken nor sent before."""
        return any(m.outcome not in (None, "accepted") or m.before not in ("", "accepted") for m in self.messages)


def send_test(
    session: Session, name: str, *, to: str, lead_id: int | None = None, step: str = "", again: bool = False
) -> SampleResult:
    """Send the messages of the campaign, or of one step, to ``to``, as ``lead_id``, by default the audience's first.

    Raises `PolicyError` while all sending is stopped or if ``to`` is suppressed, `UserError` where no step fits ``to``.
    """
    files = read_files(session, name)
    return send_samples(session, files, to=to, lead_id=lead_id, step=step, again=again)


def send_samples(
    session: Session, files: CampaignFiles, *, to: str, lead_id: int | None, step: str = "", again: bool = False
) -> SampleResult:
    """The same for a campaign that was read already, or the touches of a strategy. Raises as `send_test`."""
    name = files.campaign.name
    check_sender(session, files)
    with session.query() as query:
        row = _reader(session, query, files, lead_id)
        _check_address(session, query, to)
    steps = fitting(session, files, to, step=step)
    if not steps:
        raise UserError(f"no step of {name} sends to {to!r}", hint="An e-mail address has an @, any other is a phone.")
    drafts = [_draft(session, row, files, s, to, again=again) for s in steps]
    if session.dry_run:
        done: Sequence[SampleMessage] = [_shown(m, None) for m in drafts]
    else:
        done = _send(session, files, drafts)
    return SampleResult(
        campaign=name,
        lead_id=row["lead_id"],
        sender=files.campaign.sender,
        messages=tuple(done),
        dry_run=session.dry_run,
    )


def fitting(session: Session, files: CampaignFiles, to: str, *, step: str = "") -> list[Step]:
    """The steps whose messages can be sent to ``to``; none that is handed to people. Raises `NotFound`."""
    people = by_hand(files, sender_offer(session, files))
    return [s for s in chosen_steps(files, step) if s.action == "send" and s.channel not in people and _fits(s, to)]


def _reader(session: Session, query: Query, files: CampaignFiles, lead_id: int | None) -> dict[str, Any]:
    check_links(files, session.settings.collect.url)
    if lead_id is None:
        load_audience(session, query, files, session.as_of_time())
        [(lead_id,)] = query.rows("select min(lead_id) from audience")
        if lead_id is None:
            raise UserError(f"nobody is in the audience of {files.campaign.name}", hint="Name a reader with --as LEAD.")
    return one_person(session, query, files, known_lead(query, lead_id))


def _check_address(session: Session, query: Query, to: str) -> None:
    if any(c.isspace() for c in to) or not to:
        raise UserError(f"{to!r} is no address")
    known = query.one("select reason from suppressions where value = lower($to) limit 1", {"to": to})
    if known:
        raise PolicyError(f"{to} is suppressed ({known[0]})", hint=f"sfactl touch unsuppress {to}")
    if why := halted_by(session, ""):
        raise PolicyError(f"nothing was sent: {why}")


def _fits(step: Step, to: str) -> bool:
    return ("@" in to) is ((step.channel or "email") == "email") or step.channel not in ("", "email", "sms", "phone")


def _draft(session: Session, row: dict[str, Any], files: CampaignFiles, step: Step, to: str, *, again: bool) -> Message:
    """The test message: marked as one, with links of nobody's, and a key that follows from all that is in it."""
    prefix = f"{key_prefix(files.campaign, place_of(session).tenant)}{KIND}."
    head = letterhead_of(session)

    def written(key: str) -> Message:
        message = write_for(row, files, step, head, key=key, to=to)
        return replace(message, subject=f"[Test] {message.subject}", lead_id=None)

    content = payload_hash(written(prefix))
    digest = hashlib.sha256(f"{step.name}\n{row['lead_id']}\n{content}".encode()).hexdigest()[:20]
    number = sum(r.meta.get("digest") == digest for r in session.ledger.rows(_scope(files))) if again else 0
    return written(f"{prefix}{digest}.{number + 1}")


def _send(session: Session, files: CampaignFiles, drafts: Sequence[Message]) -> list[SampleMessage]:
    with session.ledger.lease(_scope(files), run_id=session.run_id) as lease:
        with closing(make_sender(session, files)) as sender:
            claimed = set(lease.claim([_effect(m, files) for m in drafts]))
            mine = [m for m in drafts if m.key in claimed]
            receipts: dict[str, Receipt] = {}
            try:
                receipts = {r.key: r for r in sender.send(mine) if r.key in claimed} if mine else {}
            finally:
                _settle(lease, mine, receipts)
    known = {r.key: r.state for r in session.ledger.rows(_scope(files))}
    return [
        _shown(m, receipts.get(m.key, _no_receipt(m.key)))
        if m.key in claimed
        else _shown(m, None, before=known.get(m.key, "planned"))
        for m in drafts
    ]


def _settle(lease: Lease, messages: Sequence[Message], receipts: dict[str, Receipt]) -> None:
    lease.settle([receipts.get(m.key, _no_receipt(m.key)) for m in messages])


def _no_receipt(key: str) -> Receipt:
    return Receipt(key=key, outcome="unknown", detail="the sender gave no receipt")


def _effect(message: Message, files: CampaignFiles) -> Effect:
    meta = {
        "campaign": files.campaign.name,
        "step": message.step,
        "recipient": message.recipient,
        "sender": files.campaign.sender,
        "digest": message.key.rsplit(".", 2)[1],
    }
    return Effect(key=message.key, kind=KIND, payload_hash=payload_hash(message), meta=meta)


def _scope(files: CampaignFiles) -> str:
    return f"{KIND}/{files.campaign.name}"


def _shown(message: Message, receipt: Receipt | None, *, before: str = "") -> SampleMessage:
    return SampleMessage(
        step=message.step,
        recipient=message.recipient,
        subject=message.subject,
        outcome=receipt.outcome if receipt else None,
        detail=receipt.detail if receipt else "",
        before=before,
    )
