"""What a server wrote in a letter: where the copy of the mail begins, what is about whom, what was refused."""

from __future__ import annotations

import re
from email.message import Message

from sfactl.feedback.fields import ADDRESS, LONGEST, low, parts, text_of
from sfactl.feedback.words import shown

_COPY = re.compile(
    "|".join(
        (
            r"^[ \t>]*(?:-{2,}.{0,8}(?:below this line|this is a copy|original (?:message|mail)|unsent message)",
            r"(?<!-)-{2,}.{0,8}(?:message (?:headers?|text) follow|returned message|undelivered message|a copy of)",
            r"(?<!-)-{2,}.{0,8}(?:enclosed is a copy|the (?:header|body|attached) )",
            r"(?<!-)-{2,} ?original|original message (?:follows|headers?)|message headers? follow|message header:",
            r"included is a copy|\*{4,} end of message|received: ?(?:from|by|\()|return-path:|----- message header",
            r"the (?:first|following) .{0,40}(?:lines|header|message).{0,40}follow)",
        )
    ),
    re.IGNORECASE | re.MULTILINE,
)
_STAGES = {
    "data": r"end of (?:message )?data|after data|\bdata (?:command|phase|stage)|\(data\)|smtp command data|\[data\]",
    "mail": r"mail from|\[mail_from\]|smtp:mail|sender was rejected|after mail\b",
    "rcpt": r"rcpt|does not like recipient|recipient address",
    "ehlo": r"\behlo\b|\bhelo\b|initial greeting",
}
_COMMANDS = {"MAIL": "mail", "RCPT": "rcpt", "DATA": "data", "EHLO": "ehlo", "HELO": "ehlo", ".": "data"}
_REFUSAL = re.compile(
    r"(?<![\d.])[45][0-5]\d[ \-](?=\S)|[45]\.\d{1,3}\.\d{1,3}\s|said:|reason:|error was:|returned was:|because:",
    re.IGNORECASE,
)
_BESIDE = re.compile(r"^[ \t]*([45]\d\d <?([^\s<>]{1,255}?)>?\.\.\. ?.+)$", re.MULTILINE)
_SECTION = re.compile(r"\s*[<\"']*[^\s@]+@[^\s@:]+[>\"']*\s*(:|$)|\s*recipient address:", re.IGNORECASE)
"""A line with which what is said about the next recipient begins."""


def letter_of(mail: Message) -> str:
    """The words of the server, without the copy of what came back."""
    texts: list[str] = []
    for part in parts(mail):
        if sum(map(len, texts)) >= LONGEST:
            break
        kind = part.get_content_type()
        if kind in ("message/rfc822", "text/rfc822-headers"):
            break
        if kind == "text/plain":
            texts.append(text_of(part))
        elif kind == "text/html":
            texts.append(shown(text_of(part), quotes=True))
        elif part.get_content_maintype() == "multipart" and isinstance(part.get_payload(), str):
            # Its boundary is not the one that the header names, or none is named.
            texts.append(text_of(part))
    text = "\n".join(texts)[:LONGEST]
    copy = next((m for m in _COPY.finditer(text) if m.start() > 40), None)
    return text[: copy.start()] if copy else text


def about(letter: str, recipient: str) -> str:
    """What the letter says of one recipient: from its address on until the next one's."""
    start = (
        letter.lower().rfind(f"<{recipient}>:")
        if f"<{recipient}>:" in letter.lower()
        else letter.lower().find(recipient)
    )
    if start < 0:
        return letter
    begin = letter.rfind("\n", 0, start) + 1
    rest = letter[begin:]
    own = recipient.lower()
    for line in re.finditer(r"^.{1,500}$", rest, re.MULTILINE):
        other = ADDRESS.search(line.group()) if line.start() and _SECTION.match(line.group()) else None
        if other and low(other) != own:
            return rest[: line.start()]
    return rest


def server_words(letter: str) -> str:
    """The part of a letter in which a server speaks: from its refusal on; the whole letter where none is told."""
    found = _REFUSAL.search(letter)
    return letter[found.start() :] if found else letter


def refused_line(letter: str, recipient: str) -> str:
    """The reply that sendmail writes beside a recipient (``550 <a@b>... User unknown``); the last one, if any."""
    found = [m.group(1) for m in _BESIDE.finditer(letter) if m.group(2).lower() == recipient]
    return found[-1].strip() if found else ""


def stage_of(text: str) -> str:
    """The SMTP command whose answer was the refusal."""
    talk = [line.strip() for line in text.splitlines() if re.match(r"\s*(>>>|<<<)", line)]
    for place, line in enumerate(talk):
        if re.match(r"<<<\s*[45]\d\d", line):
            said = next((t for t in reversed(talk[:place]) if t.startswith(">>>")), "")
            return _COMMANDS.get(said[3:].strip()[:4].upper(), "")
    return next((name for name, words in _STAGES.items() if re.search(words, text, re.IGNORECASE)), "")
