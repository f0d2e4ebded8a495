"""Turn a `Message` into an e-mail, the same for every sender: Message-ID from the key, safe headers, RFC 2047 and MIME.

It refuses what would not be one proper e-mail: line breaks in header values, header names that are none, more than one
address, lines longer than the standard allows. It never reads the clock.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, getaddresses, parseaddr
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sfactl.api.records import Attachment, Message

LONGEST_LINE = 998
"""RFC 5322, 2.1.1."""

LONGEST_WORD = 900
"""Room is left for the name of the header."""

ADDRESSES = frozenset({"from", "to", "cc", "sender", "reply-to"})
"""Headers that hold addresses."""

_HEADER_NAME = re.compile(r"[!-9;-~]+")
"""RFC 5322, 2.2."""

_ADDRESS = re.compile(
    r"""(?: [^\s<>()\[\],;:\\"@\x00-\x1f\x7f]+ | "[^\s"\\\x00-\x1f\x7f]+" )
    @ (?: [^\s<>()\[\],;:\\"@\x00-\x1f\x7f]+ | \[[0-9A-Za-z.:]+\] )""",
    re.VERBOSE,
)
"""One bare address. Dots may stand where the standard wants none: some providers have given out such addresses."""

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_BREAKING = re.compile(r"[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""What Python takes for a line break and mail does not."""
_LONE_BREAK = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_LONG_LINE = re.compile(rb"[^\n]{%d}" % (LONGEST_LINE + 2))

WORD_LINE = 76
"""A line with an encoded word, RFC 2047, 2."""

if TYPE_CHECKING:
    _Policy = EmailPolicy[EmailMessage]
else:
    _Policy = EmailPolicy  # generic for type checkers only


class _Headers(HeaderRegistry):
    """The standard library's header types, each made once: it makes them anew for every header."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, type[BaseHeader]] = {}

    def __getitem__(self, name: str) -> type[BaseHeader]:
        key = name.lower()
        if key not in self._made:
            self._made[key] = super().__getitem__(name)
        return self._made[key]


class MailPolicy(_Policy):
    """Writes a header that is plain ASCII on one line as it is, and others as encoded words that keep their spaces.

    The standard library's modern folding would turn a long link into an encoded word, which List-Unsubscribe may not
    be (RFC 2369, 2), and loses spaces between encoded words.
    """

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        """A header as it is kept: what parsing would leave as it is is parsed only if somebody asks for its parts."""
        if type(value) is str and value.isascii() and value.isprintable() and "=?" not in value and "(" not in value:
            return name, value
        parsed: tuple[str, str] = super().header_store_parse(name, value)
        return parsed

    def fold(self, name: str, value: str) -> str:
        """One header, ready to send."""
        text = str(value)
        if text.isascii() and len(name) + 2 + len(text) <= LONGEST_LINE:
            return f"{name}: {text}{self.linesep}"
        if text.isascii() and max(map(len, text.split())) > LONGEST_WORD:
            # It can be neither folded nor, being a link, encoded.
            raise ValueError(f"header {name} has a word of more than {LONGEST_WORD} letters")
        if name.lower() == "subject" and not self.utf8:
            return f"{name}: {_encoded(text, name, self.linesep)}{self.linesep}"
        if name.lower() in ADDRESSES and not self.utf8:
            person, bare = parseaddr(text)
            bare = envelope_address(bare)
            if bare.isascii():
                # Letters outside ASCII in a domain travel as A-labels; an encoded word may not stand there.
                named = f"{_encoded(person, name, self.linesep)} <{bare}>" if person else bare
                return f"{name}: {named}{self.linesep}"
        folded: str = super().fold(name, value)
        return folded

    def fold_binary(self, name: str, value: str) -> bytes:
        """One header, ready to send, as bytes."""
        return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii", "surrogateescape")


def _encoded(text: str, name: str, linesep: str) -> str:
    return Header(text, "utf-8", maxlinelen=WORD_LINE, header_name=name).encode(linesep=linesep)


POLICY = MailPolicy(cte_type="7bit", linesep="\r\n", max_line_length=WORD_LINE, header_factory=_Headers())
"""7-bit on the wire, so that no server has to be trusted with 8BITMIME; encoded words of 75 (RFC 2047, 2)."""


_RAW = POLICY.clone(utf8=True)


def policy(*, utf8: bool) -> MailPolicy:
    """How mail is written; ``utf8`` allows raw UTF-8 in headers."""
    return _RAW if utf8 else POLICY


def email_message(message: Message, *, now: datetime, utf8: bool = False) -> EmailMessage:
    """The e-mail for ``message``, dated ``now`` (UTC without a zone).

    ``utf8`` allows raw UTF-8 in headers, for addresses that need SMTPUTF8 (RFC 6531). Raises ValueError where a header
    value has a line break or the sender is not an address.
    """
    mail = EmailMessage(policy=policy(utf8=utf8))
    mail.set_content(_lines(message.text), **_encoding(message.text))
    if message.html is not None:
        mail.add_alternative(_lines(message.html), subtype="html", **_encoding(message.html))
    _attach(mail, message.attachments)
    # As all else here boundaries follow from the message, so that a second attempt has the same bytes.
    boundary = "=_" + hashlib.sha256(message.key.encode()).hexdigest()[:40]
    for number, part in enumerate(p for p in mail.walk() if p.is_multipart()):
        part.set_boundary(f"{boundary}{number or ''}")
    for name, value in _headers(message, now).items():
        if any(c in value for c in "\r\n\0"):
            raise ValueError(f"header {name} has a line break: {value!r}")
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of a header")
        mail[name] = value if value.isascii() and value.isprintable() else _BREAKING.sub(" ", value)
    return mail


def _attach(mail: EmailMessage, attachments: Sequence[Attachment]) -> None:
    """Put pictures beside the HTML (RFC 2387), and documents beside all."""
    html = mail.get_body(("html",)) if attachments else None
    for a in attachments:
        main, _, sub = a.content_type.partition("/")
        name = a.name.rpartition("/")[2]
        if a.inline and html is not None:
            html.add_related(a.content, main, sub, cid=f"<{a.content_id}>", filename=name, disposition="inline")
    for a in attachments:
        main, _, sub = a.content_type.partition("/")
        if not a.inline:
            mail.add_attachment(a.content, main, sub, filename=a.name.rpartition("/")[2])


def wire_bytes(message: Message, *, now: datetime, utf8: bool = False) -> bytes:
    """The e-mail for ``message`` as it travels: lines end with CRLF, the last one too, and none is too long.

    Raises ValueError where that cannot be; a lone CR or LF could end the message early for one server and not for the
    next (RFC 5321, 2.3.8).
    """
    content = email_message(message, now=now, utf8=utf8).as_bytes(policy=policy(utf8=utf8))
    if _LONE_BREAK.search(content):
        raise ValueError("a line ends in a lone CR or LF")
    if _LONG_LINE.search(content):
        raise ValueError(f"a line is longer than {LONGEST_LINE} bytes")
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def message_id(key: str, sender: str) -> str:
    """The Message-ID (RFC 5322, 3.6.4) of a key: the same on every attempt, and it gives nothing away."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{sender_domain(sender)}>"


def sender_domain(sender: str) -> str:
    """The domain of ``Name <a@b>`` as DNS has it. Raises ValueError where there is none."""
    return envelope_address(sender).rpartition("@")[2]


@lru_cache(maxsize=256)
def envelope_address(text: str) -> str:
    """The address in ``Name <a@b>`` as SMTP wants it: the domain in its ASCII form. Raises ValueError."""
    local, _, domain = address(text).rpartition("@")
    return f"{local}@{ascii_domain(domain)}"


def ascii_domain(domain: str) -> str:
    """A domain in its ASCII form by IDNA 2008, under which "ß" and "ss" are two names. Raises ValueError."""
    if domain.isascii():
        return domain
    import idna  # late: its tables cost 10 ms, and few need them

    return idna.encode(domain, uts46=True).decode("ascii")


@lru_cache(maxsize=256)
def address(text: str) -> str:
    """The bare address in ``Name <a@b>``. Raises ValueError where there is none, or more than one."""
    if _ADDRESS.fullmatch(text):
        return text
    found = getaddresses([text])
    bare = found[0][1] if len(found) == 1 else ""
    if not _ADDRESS.fullmatch(bare) or _QUOTED.sub("", text).count("@") != 1 or not text.rstrip().endswith(f"<{bare}>"):
        raise ValueError(f"{text!r} is not an e-mail address")
    return bare


def needs_utf8(message: Message) -> bool:
    """Whether the local part of an address is not ASCII, so that only an SMTPUTF8 server can take it."""
    named = [value for name, value in message.headers.items() if name.lower() in ADDRESSES and not value.isascii()]
    addresses = (message.sender, message.recipient, *named)
    return any(not address(a).rpartition("@")[0].isascii() for a in addresses)


def _encoding(text: str) -> dict[str, Any]:
    # RFC 2045, 2.7: there is no NUL in what is sent as it is.
    return {"cte": "quoted-printable"} if "\0" in text else {}


def _lines(text: str) -> str:
    # RFC 5322, 2.3: a lone CR or LF must not occur; the policy writes CRLF for each of these.
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _headers(message: Message, now: datetime) -> dict[str, str]:
    own = {
        "From": message.sender,
        "To": message.recipient,
        "Subject": message.subject,
        "Date": format_datetime(now.replace(tzinfo=UTC)),
        "Message-ID": message_id(message.key, message.sender),
    }
    taken = {name.lower() for name in own}
    return own | {name: value for name, value in message.headers.items() if name.lower() not in taken}
