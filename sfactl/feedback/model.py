"""What one returned mail says about one recipient, and what one answer says. Nothing here reads or writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["bounce", "delay", "complaint", "answer"]
"""Not delivered; not delivered yet; reported as spam; the answer of a machine, such as a note of absence."""

HARD = frozenset({"userunknown", "hostunknown", "hasmoved", "notaccept"})
"""Reasons that no later attempt can mend: the address is wrong for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What happened to the mail for ``recipient``.

    ``status`` is the enhanced status code (RFC 3463) that the notice states, empty where it states none; ``reply_code``
    the SMTP reply (RFC 5321). ``diagnosis`` is what the server said. ``original`` is the Message-ID of the mail that
    came back, where the notice holds it.
    """

    kind: Kind
    recipient: str
    reason: str
    status: str = ""
    reply_code: str = ""
    diagnosis: str = ""
    original: str = ""

    @property
    def hard(self) -> bool:
        """Whether the address is to be left in peace at once.

        A status of class 4 says that it may pass (RFC 3463, 3.1), unless it is about the address itself.
        """
        passing = self.status.startswith("4") and not self.status.startswith("4.1.")
        return self.kind == "bounce" and self.reason in HARD and not passing


AnswerKind = Literal["reply", "auto_reply", "unsubscribe", "receipt"]
"""A person's answer; a machine's; the wish to get no more mail; a proof of reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A mail that ``sender`` wrote to us.

    ``ids`` are the messages that it answers, the nearest first, as local part and domain of their Message-ID.
    ``tokens`` are texts that may be the token of an unsubscribe link.
    """

    kind: AnswerKind
    sender: str
    subject: str
    text: str
    message_id: str = ""
    ids: tuple[tuple[str, str], ...] = ()
    tokens: tuple[str, ...] = ()
