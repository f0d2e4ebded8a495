"""Read one mail as something that a customer wants settled, or say why it is none.

What a machine wrote, what came back and mail to many open nothing (RFC 3834, 2): that is how two robots would begin to
write to each other. Whose mail it is, and which case it is about, the data decide.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.utils import getaddresses

from sfactl.feedback.fields import arrived_at, decoded, subject_of, without_envelope
from sfactl.feedback.machines import machine_of
from sfactl.feedback.model import Answer
from sfactl.feedback.notices import read_notices
from sfactl.feedback.replies import read_answer

LONGEST_THREAD = 800
"""Characters of References that are kept, the nearest ones: a header's line has its end (RFC 5322, 2.1.1)."""
LONGEST_SUBJECT = 300

_ID = re.compile(r"<[!-;=?-~]{1,250}@[!-;=?-~]{1,250}>")
_TOKEN = re.compile(r"\[\s*case\s*#?\s*([0-9]{1,15})\s*\]", re.IGNORECASE)
_LISTED = re.compile(
    rb"^(?:list-[a-z-]+|precedence|mailing-list)[ \t]*:.*(?:\n[ \t].*)*\n?", re.IGNORECASE | re.MULTILINE
)
WHY_NOT = {
    "absence": "a note of absence",
    "answer": "an answering machine or another robot wrote it",
    "receipt": "a proof of reading",
    "list": "mail to many",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail of a customer. ``token`` is the number of the case that its subject names; ``silent`` why nobody is told.

    ``answers`` are the whole Message-IDs that it answers, the nearest first.
    """

    event_id: str
    at: datetime
    sender: str
    name: str
    subject: str
    text: str
    message_id: str
    answers: tuple[str, ...] = ()
    thread: str = ""
    token: int | None = None
    silent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoLetter:
    """A mail that opens nothing, and why; ``about`` is who wrote it and its subject, for a person to judge."""

    why: str
    about: str = ""


def read_letter(raw: bytes, *, now: datetime, lists: Collection[str] = ()) -> Letter | NoLetter:
    """The mail ``raw`` as a customer's letter. Mail through one of ``lists`` counts as such, but nobody is told."""
    returned = any(n.kind != "answer" or n.reason == "delivered" for n in read_notices(raw))
    raw = without_envelope(raw)
    mail = email.message_from_bytes(raw, policy=email.policy.compat32)
    if returned:
        return NoLetter(why="mail of ours that came back, or a report about one", about=_about(mail))
    machine, silent = machine_of(mail), ""
    if machine == "list" and _list_of(mail) in {name.strip("<>").lower() for name in lists}:
        silent = "it came through a list"
        raw = _without_list(raw)
        mail = email.message_from_bytes(raw, policy=email.policy.compat32)
        machine = machine_of(mail)
    if machine:
        return NoLetter(why=WHY_NOT[machine], about=_about(mail))
    answer = read_answer(raw)
    if answer is None:
        return NoLetter(why="nobody's address is in it", about=_about(mail))
    return _letter(mail, answer, raw, now, silent)


def _about(mail: Message) -> str:
    said = f"{decoded(str(mail.get('From', '')))}: {subject_of(mail)}"
    return " ".join(said.split())[:120].strip(": ")


def _letter(mail: Message, answer: Answer, raw: bytes, now: datetime, silent: str) -> Letter:
    message_id = answer.message_id if _ID.fullmatch(answer.message_id) else ""
    token = _TOKEN.search(answer.subject)
    own = message_id or hashlib.sha256(raw).hexdigest()
    thread, answers = _threads(mail)
    return Letter(
        event_id=f"mail:{hashlib.sha256(own.encode()).hexdigest()[:32]}",
        at=arrived_at(mail, now),
        sender=answer.sender,
        name=_name(mail),
        subject=answer.subject[:LONGEST_SUBJECT],
        text=answer.text,
        message_id=message_id,
        answers=answers,
        thread=thread,
        token=int(token.group(1)) if token else None,
        silent=silent,
    )


def _threads(mail: Message) -> tuple[str, tuple[str, ...]]:
    """What the References of an answer begin with (RFC 5322, 3.6.4), and what it answers, the nearest first."""
    direct = [found for value in mail.get_all("In-Reply-To", []) for found in _ID.findall(str(value))]
    chain = [found for value in mail.get_all("References", []) for found in _ID.findall(str(value))]
    kept: list[str] = []
    for one in reversed(chain or direct[:1]):
        if sum(map(len, kept)) + len(kept) + len(one) > LONGEST_THREAD:
            break
        kept.append(one)
    return " ".join(reversed(kept)), tuple(dict.fromkeys([*direct, *reversed(chain)]))[:50]


def _name(mail: Message) -> str:
    for name, _ in getaddresses([decoded(str(v)) for v in mail.get_all("From", [])]):
        text = " ".join(name.split())
        if text and "@" not in text:
            return text[:200]
    return ""


def _list_of(mail: Message) -> str:
    """The list's name (RFC 2919): what stands between the last angle brackets."""
    said = str(mail.get("List-Id", ""))
    found = re.findall(r"<([^<>]*)>", said)
    return (found[-1] if found else said).strip().lower()


def _without_list(raw: bytes) -> bytes:
    """The mail as it was before the list sent it on."""
    head, gap, body = raw.partition(b"\n\n")
    return _LISTED.sub(b"", head + b"\n").rstrip(b"\n") + (gap or b"\n\n") + body
