"""Sign the links that stand in messages, and read them back: nobody can make one up, or use one for another purpose.

A link says whose it is and what it is for, and nothing about time, so that a message written again has the same bytes.
It is signed, not encrypted: it holds numbers and names of ours, never an address or a name of a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from itsdangerous import URLSafeSerializer

Purpose = Literal["unsubscribe", "preferences", "confirm", "click", "open", "survey"]
PATHS: dict[Purpose, str] = {
    "unsubscribe": "u",
    "preferences": "p",
    "confirm": "d",
    "click": "c",
    "open": "o",
    "survey": "s",
}
"""The first part of the path at the collector: ``https://go.acme.example/u/TOKEN``."""

LONGEST_TOKEN = 4096

NOBODY = 0
"""The number that stands for the lead in the links of a test message: what is done with them counts for nobody."""


class ForgedLink(ValueError):
    """A token that no key of ours has signed for this purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a link stands for. ``target`` is where a click leads, or the topic of an unsubscribe or a confirmation.

    A click without a target is a link that no person sees: who follows it is a scanner.
    """

    purpose: Purpose
    message_key: str
    lead_id: int
    campaign: str = ""
    step: str = ""
    target: str = ""


def event_id(link: Link, at: datetime, *, kind: str = "", topic: str = "") -> str:
    """The id of what somebody did with ``link`` at ``at`` (naive UTC), the same wherever it was read.

    Opens and clicks of one minute are one, so that a log that writes at the end of the request agrees with the
    collector; a confirmation counts once and for all; anything else counts by the second. ``kind`` and ``topic`` are
    said where one link can do several things (the preferences: unsubscribe and subscribe, each of a topic); ``kind`` is
    "bot" for an open or click whose request alone tells a scanner, so that it never stands in for the person's own.
    What is signed counts, not how the token is written.
    """
    parts = [link.purpose, link.message_key, str(link.lead_id), link.campaign, link.step, link.target, kind, topic]
    if link.purpose != "confirm":
        parts.append(at.isoformat(timespec="minutes" if link.purpose in ("click", "open") else "seconds"))
    text = "\x1f".join(parts)
    return f"link:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


class Signer:
    """Signs with the newest of ``secrets`` (oldest first) and takes what any of them has signed."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = list(secrets)
        self._serializers: dict[Purpose, URLSafeSerializer] = {}

    def token(self, link: Link) -> str:
        """The signed token of a link: letters, digits, ``-``, ``_`` and ``.``."""
        fields = [link.message_key, link.lead_id, link.campaign, link.step, link.target]
        return str(self._serializer(link.purpose).dumps(fields))

    def url(self, base: str, link: Link) -> str:
        """The whole address of a link at the collector that is known as ``base``."""
        return f"{base.rstrip('/')}/{PATHS[link.purpose]}/{self.token(link)}"

    def read(self, purpose: Purpose, token: str) -> Link:
        """The link behind ``token``. Raises `ForgedLink` for what was not signed for this purpose."""
        from itsdangerous import BadData

        if len(token) > LONGEST_TOKEN:
            raise ForgedLink("the link is too long to be one of ours")
        try:
            key, lead_id, campaign, step, target = self._serializer(purpose).loads(token)
        except (BadData, ValueError, TypeError):
            raise ForgedLink("the link was not signed by us for this") from None
        return Link(purpose=purpose, message_key=key, lead_id=lead_id, campaign=campaign, step=step, target=target)

    def _serializer(self, purpose: Purpose) -> URLSafeSerializer:
        from itsdangerous import URLSafeSerializer

        if purpose in self._serializers:
            return self._serializers[purpose]
        if purpose not in PATHS:
            raise ValueError(f"{purpose!r} is no purpose of a link")
        # HMAC-SHA256; the purpose salts the key, so that a token for one is none for another.
        options = {"key_derivation": "hmac", "digest_method": sha256}
        made = URLSafeSerializer(self._secrets, salt=f"sfactl.link.{purpose}", signer_kwargs=options)
        self._serializers[purpose] = made
        return made
