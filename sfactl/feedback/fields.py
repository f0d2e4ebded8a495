"""The parts of a mail as text and fields: status reports, also where their type is not said, and the copy inside."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime
from itertools import islice

LOOKED_AT = 1_000_000
"""Bytes of a mail that are read: what a server says stands before the copy of what came back."""

LONGEST = 200_000
"""Characters of one part that are read."""

MOST_PARTS = 200
MOST_RECIPIENTS = 1000
LONGEST_HEADER = 2000

ADDRESS = re.compile(r"(?<![\w.!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]{1,200}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_REPORT_TYPES = ("message/delivery-status", "message/global-delivery-status")
_RECIPIENT = re.compile(r"^(?:final|original)-recipient:", re.IGNORECASE | re.MULTILINE)
_OUTCOME = re.compile(r"^(?:action|status):", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(r"^[a-z][\w-]*:\s", re.IGNORECASE | re.MULTILINE)


def parsed(raw: bytes) -> Message:
    """The mail ``raw``, of which no more is read than `LOOKED_AT`."""
    return email.message_from_bytes(without_envelope(raw[:LOOKED_AT]), policy=email.policy.compat32)


def parts(mail: Message) -> Iterator[Message]:
    """The mail and the parts in it, `MOST_PARTS` of them."""
    return islice(mail.walk(), MOST_PARTS)


def status_fields(mail: Message) -> Iterator[Message]:
    """The fields about each recipient, block by block, as RFC 3464 has them and as servers write them."""
    for part in parts(mail):
        if part.get_content_type() in _REPORT_TYPES:
            payload = part.get_payload()
            blocks = payload if isinstance(payload, list) else [email.message_from_string(text_of(part))]
            for block in blocks:
                if isinstance(block, Message):
                    yield from _by_recipient(_refolded(block))
    # Some servers write the same fields into the letter itself.
    for part in parts(mail):
        if part.get_content_maintype() == "text" and part.get_content_subtype() != "rfc822-headers":
            text = text_of(part)
            if not _RECIPIENT.search(text):
                continue
            for block in re.split(r"\n[ \t]*\n", text):
                if _RECIPIENT.search(block) and _OUTCOME.search(block):
                    yield from _by_recipient(email.message_from_string(_from_fields(block)))


def _refolded(block: Message) -> Message:
    """The block with the fields behind a line that is no field: what a server said, written on without indentation."""
    rest = block.get_payload()
    if not isinstance(rest, str) or not _FIELD.search(rest):
        return block
    written = "\n".join(f"{name}: {value}" for name, value in block.raw_items())
    return email.message_from_string(_from_fields(f"{written}\n{rest}"))


def _by_recipient(block: Message) -> Iterator[Message]:
    """One block a recipient, also where no empty line parts them: a field that stood before begins the next."""
    if len(block.get_all("Final-Recipient", [])) < 2:
        yield block
        return
    one = Message()
    for name, value in block.raw_items():
        if name.lower() in ("final-recipient", "action") and name in one:
            yield one
            one = Message()
        one[name] = value
    yield one


def _from_fields(block: str) -> str:
    lines = block.strip("\n").splitlines()
    start = next((i for i, line in enumerate(lines) if re.match(r"\s*[\w-]+:", line)), 0)
    return "\n".join(line.strip() if re.match(r"\s*[\w-]+:\s", line) else f" {line}" for line in lines[start:]) + "\n\n"


def copied(mail: Message) -> Message | None:
    for part in parts(mail):
        if part.get_content_type() == "message/rfc822":
            payload = part.get_payload()
            return payload[0] if isinstance(payload, list) and isinstance(payload[0], Message) else None
        if part.get_content_type() == "text/rfc822-headers":
            return email.message_from_string(text_of(part))
    return None


def original_id(mail: Message) -> str:
    copy = copied(mail)
    found = str(copy.get("Message-ID", "")) if copy is not None else ""
    if not found:
        texts = [text_of(p) for p in parts(mail) if p.get_content_maintype() == "text"]
        match = next(
            (m for t in texts for m in [re.search(r"^[ \t]*message-id:\s*(<[^>\s]+>)", t, re.I | re.M)] if m), None
        )
        found = match.group(1) if match else ""
    return found.strip()


def text_of(part: Message) -> str:
    """The text of a part as people read it, `LONGEST` characters of it."""
    return _decoded_text(part)[:LONGEST]


def _decoded_text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        whole = part.get_payload()
        return "\n\n".join(str(p) for p in whole) if isinstance(whole, list) else str(whole)
    charset = part.get_content_charset() or "utf-8"
    if b"\x1b$" in payload:
        charset = "iso-2022-jp"
    for said in (charset, "utf-8"):
        # What the header says of the charset is often wrong where somebody has copied the mail as text.
        with suppress(LookupError, ValueError):
            return payload.decode(said)
    try:
        return payload.decode(charset, "replace")
    except (LookupError, ValueError):
        return payload.decode("utf-8", "replace")


def subject_of(mail: Message) -> str:
    """The subject as people read it, also where its bytes are not encoded as RFC 2047 asks."""
    raw = next((str(value) for name, value in mail.raw_items() if name.lower() == "subject"), "")[:LONGEST_HEADER]
    return decoded(raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def decoded(value: str) -> str:
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError, MessageError):
        return value


def low(found: re.Match[str] | None) -> str:
    return found.group().lower() if found else ""


def without_envelope(raw: bytes) -> bytes:
    """Line ends as one kind, without the envelope line of a mailbox file."""
    text = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text.partition(b"\n")[2] if text.startswith(b"From ") else text


def arrived_at(mail: Message, now: datetime) -> datetime:
    """When the mail came in, naive UTC: as our own server noted, else as its writer did; now where neither can be."""
    # The newest Received line stands on top, and is the only one that a stranger cannot write.
    for said in (str(mail.get("Received", "")).rpartition(";")[2], str(mail.get("Date", ""))):
        try:
            at = parsedate_to_datetime(said)
            at = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
        except (TypeError, ValueError, OverflowError):
            continue
        if at.year >= 1990:
            return min(at, now)
    return now
