"""One message as it goes over the wire: envelope, bytes, and what the server must be able to do to take it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sfactl.api.mail import envelope_address, needs_utf8, wire_bytes
from sfactl.api.records import Message

Signing = Callable[[Message, bytes], bytes]
"""(message, its e-mail) → headers to put in front."""

_LINE_DOT = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """``body`` ends with CRLF and has its dots doubled (RFC 5321, 4.5.2); ``size`` is without those."""

    message: Message
    sender: str
    recipient: str
    body: bytes
    size: int
    utf8: bool

    @property
    def key(self) -> str:
        """The message's key."""
        return self.message.key


def write_letter(message: Message, *, now: datetime, return_path: str, sign: Signing) -> Letter:
    """The letter for ``message``. Raises ValueError where it cannot be written as an e-mail."""
    utf8 = needs_utf8(message)
    content = wire_bytes(message, now=now, utf8=utf8)
    content = sign(message, content) + content
    return Letter(
        message=message,
        sender=envelope_address(return_path or message.sender),
        recipient=envelope_address(message.recipient),
        body=_LINE_DOT.sub(b"..", content),
        size=len(content),
        utf8=utf8,
    )
