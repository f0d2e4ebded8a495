"""Read one mail from the mailbox that bounces come to: reports by RFC 3464 and 5965, and the letters of older servers.

It says what it can show from the mail itself; what is no report about a delivery gives no notice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from email.message import Message
from itertools import islice
from typing import Literal

from sfactl.feedback.complaints import complaints_of
from sfactl.feedback.fields import (
    ADDRESS,
    MOST_RECIPIENTS,
    copied,
    decoded,
    low,
    original_id,
    parsed,
    parts,
    status_fields,
    subject_of,
    text_of,
)
from sfactl.feedback.letters import about, letter_of, refused_line, server_words, stage_of
from sfactl.feedback.machines import machine_of, tells_answer
from sfactl.feedback.model import Kind, Notice
from sfactl.feedback.reasons import UNDEFINED, finest, reason_of, reply_in, reply_with, status_in

_MOST_LINES = 10_000
_DAEMON = re.compile(
    r"mailer-daemon|post[._-]?master|mail delivery|delivery (?:sub)?system|mail administrator|^<>$", re.I
)


def read_notices(raw: bytes) -> tuple[Notice, ...]:
    """What the mail ``raw`` says about deliveries, one notice a recipient; nothing if it is none of our business."""
    return notices_of(parsed(raw))


def notices_of(mail: Message) -> tuple[Notice, ...]:
    """As `read_notices`, of a mail that is parsed; it may change its type where that is wrong."""
    if mail.get_content_maintype() == "multipart" and not mail.is_multipart():
        # The boundary that the header names is not the one that was used.
        mail.replace_header("Content-Type", "text/plain")
    if (complaints := complaints_of(mail)) is not None:
        return complaints
    original = original_id(mail)
    text = letter_of(mail)
    found = list(_services(mail)) or list(islice(_reported(mail, text, original), MOST_RECIPIENTS))
    if not found and (author := _author(mail)):
        sender = ADDRESS.search(str(mail.get("From", "")))
        vacation = Notice(kind="answer", recipient=low(sender), reason="vacation", diagnosis=text[:200].strip())
        return (vacation,) if author == "machine" else ()
    if not found:
        found = list(_told(mail, text, original))
    unique = {notice.recipient: notice for notice in reversed(found)}
    return tuple(reversed(unique.values()))


def _services(mail: Message) -> Iterator[Notice]:
    """Notices of Amazon SES, which are JSON in a letter."""
    text = text_of(mail) if not mail.is_multipart() else ""
    begin, end = text.find("{"), text.rfind("}")
    if '"notificationType"' not in text or end < begin:
        return
    try:
        told = json.loads(re.sub(r"[\r\n]+ *", "", text[begin : end + 1]))
    except ValueError:
        return
    told = json.loads(told["Message"]) if isinstance(told.get("Message"), str) else told
    original = str(told.get("mail", {}).get("messageId", ""))
    for one in told.get("bounce", {}).get("bouncedRecipients", ()):
        said = re.sub(r"^\s*smtp\s*;\s*", "", str(one.get("diagnosticCode", "")))
        stated, address = str(one.get("status", "")), str(one.get("emailAddress", "")).lower()
        yield _notice(str(one.get("action", "failed")), address, said, stated, said, original)
    for one in told.get("complaint", {}).get("complainedRecipients", ()):
        kind = str(told["complaint"].get("complaintFeedbackType", "abuse"))
        yield Notice(kind="complaint", recipient=str(one["emailAddress"]).lower(), reason=kind, original=original)
    for address in told.get("delivery", {}).get("recipients", ()):
        said = str(told["delivery"].get("smtpResponse", ""))
        yield Notice(
            kind="answer",
            recipient=str(address).lower(),
            reason="delivered",
            diagnosis=said,
            original=original,
            status=status_in(said),
            reply_code=said[:3] if said[:3].isdigit() else "",
        )


def _reported(mail: Message, letter: str, original: str) -> Iterator[Notice]:
    """The recipients of delivery status parts (RFC 3464), also where their type is not said."""
    for fields in status_fields(mail):
        recipient = _recipient(fields)
        if not recipient:
            continue
        action = str(fields.get("Action", "failed")).strip().lower()
        said = " ".join(str(v) for v in fields.get_all("Diagnostic-Code", []))
        said = re.sub(r"^\s*(?:smtp|x-(?!unix)[\w-]+|dns|unix|notes)\s*;\s*", "", decoded(said), flags=re.I)
        stated = status_in(str(fields.get("Status", "")))
        nearby = about(letter, recipient)
        yield _notice(action, recipient, said, stated, nearby, original)


def _notice(action: str, recipient: str, said: str, stated: str, nearby: str, original: str) -> Notice:
    line = refused_line(nearby, recipient)
    said = said or line
    status = finest(stated, said, nearby)
    code = reply_with(status, said) or reply_in(said) or reply_in(nearby)
    stage = stage_of(nearby) or stage_of(said)
    reason = reason_of(said or server_words(nearby), status, code, stage)
    if reason == UNDEFINED:
        reason = reason_of(nearby, status, code, stage)
    kind: Kind = "delay" if action.startswith("delay") or (action == "" and status.startswith("4")) else "bounce"
    if action in ("delivered", "relayed", "expanded"):
        kind, reason = "answer", "delivered"
    return Notice(
        kind=kind,
        recipient=recipient,
        reason=reason,
        status=status,
        reply_code=code,
        diagnosis=re.sub(r"\s+", " ", said or nearby).strip()[:500],
        original=original,
    )


def _recipient(fields: Message) -> str:
    for name in ("Final-Recipient", "Original-Recipient", "X-Actual-Recipient"):
        for value in fields.get_all(name, []):
            found = ADDRESS.search(decoded(str(value)))
            if found:
                return low(found)
    return ""


def _told(mail: Message, letter: str, original: str) -> Iterator[Notice]:
    """The recipients of letters without a report."""
    addresses = _failed(mail, letter)
    if any(a.endswith("@googlegroups.com") for a in addresses):
        # Its letters come in every language, and only say that the group does not take the mail.
        yield from (Notice(kind="bounce", recipient=a, reason="rejected", original=original) for a in addresses)
        return
    for recipient in addresses:
        nearby = about(letter, recipient) if len(addresses) > 1 else letter
        lowered = letter.lower()
        late = "will retry" in lowered or "still trying" in lowered or "warning message only" in lowered
        yield _notice("delayed" if late else "failed", recipient, "", status_in(nearby), nearby, original)


def _failed(mail: Message, letter: str) -> list[str]:
    listed = [str(v) for name in ("X-Failed-Recipients",) for v in mail.get_all(name, [])]
    found = [low(m) for value in listed for m in ADDRESS.finditer(value)]
    if not found:
        found = [a for a in _known_forms(mail) if ADDRESS.fullmatch(a)]
    if not found:
        lines = re.findall(r"^[ \t]*5\d\d <([^<>\s@]{1,200}@[^<>\s@]{1,253})>", letter, re.M)
        found = [a.lower() for a in lines]
    if not found and _is_report(mail):
        own = {
            low(m)
            for name in ("To", "From", "Delivered-To")
            for v in mail.get_all(name, [])
            for m in ADDRESS.finditer(str(v))
        }
        found = [low(m) for m in ADDRESS.finditer(letter) if low(m) not in own]
        found = [a for a in found if not _DAEMON.search(a)]
        if found and not re.search(r"addresses|recipients", letter, re.I):
            found = found[:1]
        if not found and re.search(r"[45]\d\d[ -]|deferred|error|fail", letter, re.I):
            copy = copied(mail)
            to = str(copy.get("To", "")) if copy is not None else _first_to(mail)
            found = [low(m) for m in [ADDRESS.search(to)] if m]
    return list(dict.fromkeys(found))[:MOST_RECIPIENTS]


def _known_forms(mail: Message) -> list[str]:
    """The addresses in letters of the forms that flufl.bounce knows."""
    import logging

    from flufl.bounce import all_failures

    if sum(str(part.get_payload()).count("\n") for part in parts(mail) if not part.is_multipart()) > _MOST_LINES:
        return []  # it tries some hundred forms on every line
    logging.getLogger("flufl.bounce").disabled = True
    try:
        temporary, permanent = all_failures(mail)
    except Exception:  # its detectors raise on mails without a sender and on broken addresses
        return []
    return sorted(a.decode("utf-8", "replace").lower() for a in (*permanent, *temporary))


def _first_to(mail: Message) -> str:
    text = "\n".join(text_of(p) for p in parts(mail) if p.get_content_maintype() == "text")
    found = re.search(r"^[ \t]*(?:rcpt to|to):(.*)$", text, re.I | re.M)
    return found.group(1) if found else ""


def _is_report(mail: Message) -> bool:
    sender = f"{mail.get('From', '')} {mail.get('Return-Path', '')}"
    subject = subject_of(mail)
    told = re.search(
        r"deliver|undeliver|fail|return|bounce|reject|could not|warning|error|配信|エラー|не доставлено|不存在|退信",
        subject,
        re.I,
    )
    return bool(_DAEMON.search(sender) or "<>" in sender) or bool(told)


def _author(mail: Message) -> Literal["machine", "person", ""]:
    """Whether somebody, or somebody's machine, answered (RFC 3834): no letter about a delivery, whatever it says."""
    if _DAEMON.search(str(mail.get("From", ""))) or "X-Failed-Recipients" in mail:
        return ""
    machine = machine_of(mail)
    said = str(mail.get("Auto-Submitted", "")).lower()
    if machine == "absence" or (machine == "answer" and (said.startswith("auto-replied") or tells_answer(mail))):
        return "machine"
    return "person" if not machine and ("In-Reply-To" in mail or "References" in mail) else ""
