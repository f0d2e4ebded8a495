"""Read one mail as the answer to a message of ours: who wrote it, what it answers, and what they wrote themselves.

It decides whether it is a person's word, a machine's, or the wish to get no more mail. Whose it is the data decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from email.utils import getaddresses

from sfactl.engine.links import LONGEST_TOKEN
from sfactl.feedback.fields import ADDRESS, LONGEST_HEADER, decoded, low, parsed, subject_of
from sfactl.feedback.machines import machine_of
from sfactl.feedback.model import Answer, AnswerKind
from sfactl.feedback.words import own_words

MOST_IDS = 50
"""References of one mail that are looked at, the nearest first."""

_ID = re.compile(r"<\s*([^<>\s@]{1,250})@([^<>\s@]{1,250})\s*>")
_PREFIX = re.compile(
    r"^(?:\s*(?:re|aw|sv|antw|fwd?|wg|回复|回覆|答复|返信|转发|轉寄)\s*(?:\[\d+])?[:：])+\s*", re.IGNORECASE
)
_TOKEN = re.compile(r"[A-Za-z0-9_.=-]{40,}")
_NOBODY = re.compile(r"(?:no|do[-_.]?not)[-_.]?(?:reply|answer|respond)\b|mailer-daemon@|postmaster@|nobody@")
"""Addresses from which no person writes."""

_NO_MORE = re.compile(
    r"(?:please |bitte )?(?:unsubscribe(?: me)?|remove me(?: from (?:this|your|the) (?:mailing )?list)?|opt[ -]?out"
    r"|stop|take me off(?: (?:this|your|the) list)?|no more e-?mails?|abmelden|abbestellen|austragen"
    r"|d(?:é|e)sabonner|d(?:é|e)sinscri(?:re|ption)|baja|darme de baja|cancelar (?:la )?suscripci(?:ó|o)n"
    r"|退订|取消订阅|退訂|取消訂閱|配信停止|購読解除|수신 ?거부)(?: please| bitte|, danke| thanks| thank you)?",
    re.IGNORECASE,
)


def read_answer(raw: bytes) -> Answer | None:
    """The mail ``raw`` as an answer; None if nobody's address is in it or it is mail to many."""
    return answer_of(parsed(raw))


def answer_of(mail: Message) -> Answer | None:
    """As `read_answer`, of a mail that is parsed."""
    sender = _sender(mail)
    machine = machine_of(mail)
    if not sender or machine == "list":
        return None
    subject = subject_of(mail)
    subject = re.sub(r"\s+", " ", subject).strip()
    bare = _PREFIX.sub("", subject).strip()
    text = own_words(mail)
    kind: AnswerKind
    if machine == "receipt":
        kind = "receipt"
    elif machine or _NOBODY.match(sender):
        kind = "auto_reply"
    else:
        kind = "unsubscribe" if _wants_no_more(bare, text) else "reply"
    return Answer(
        kind=kind,
        sender=sender,
        subject=subject[:500],
        text=text,
        message_id="".join(str(mail.get("Message-ID", "")).split()),
        ids=tuple(_ids(mail)),
        tokens=tuple(_tokens(bare, text)),
    )


def _sender(mail: Message) -> str:
    """The address that wrote it; where answers go counts less, for it may be a desk of many."""
    for name in ("From", "Sender", "Reply-To"):
        for _, address in _addresses([decoded(str(v)[:LONGEST_HEADER]) for v in mail.get_all(name, [])]):
            if found := low(ADDRESS.fullmatch(address.strip())):
                return found
    return ""


def _addresses(values: list[str]) -> list[tuple[str, str]]:
    try:
        return getaddresses(values)
    except RecursionError:  # comments within comments, which no honest mail nests so deep
        return []


def _ids(mail: Message) -> Iterator[tuple[str, str]]:
    """The messages that it answers, the nearest first: local part and domain of each id (RFC 5322, 3.6.4)."""
    direct = [m.groups() for v in mail.get_all("In-Reply-To", []) for m in _ID.finditer(str(v))]
    thread = [m.groups() for v in mail.get_all("References", []) for m in _ID.finditer(str(v))]
    found = dict.fromkeys((str(left), str(right).lower()) for left, right in [*direct, *reversed(thread)])
    yield from list(found)[:MOST_IDS]


def _tokens(*texts: str) -> Iterator[str]:
    """What may be the token of a way out: a whole subject or text, which mail programs break into lines."""
    for text in texts:
        if len(text) <= LONGEST_TOKEN + 200 and _TOKEN.fullmatch(whole := "".join(text.split())):
            yield whole


def _wants_no_more(subject: str, text: str) -> bool:
    """Whether it says nothing but that no more mail is wanted; what stands among other words a person must read."""
    said = re.sub(r"[\s.!。！]+", " ", text).strip()
    if said:
        return _NO_MORE.fullmatch(said) is not None
    return _NO_MORE.fullmatch(subject.strip(" .!。！")) is not None
