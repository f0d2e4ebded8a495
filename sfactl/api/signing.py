"""Sign what is posted, and tell a genuine posting from a forged, an altered or an old one.

What we post is signed as the Standard Webhooks specification says (standardwebhooks.com), for which most languages have
a library. What comes in may be signed in the ways of others too: most are HMAC-SHA256 (RFC 2104) over the body, with or
without a time; `sfactl.api.genuine` has those that are unlike all others.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sfactl.api.errors import NotFound, PolicyError
from sfactl.api.genuine import WAYS, Given, check_time
from sfactl.api.records import Posting

TOLERANCE_S = 300.0
"""A posting whose time is further from ours is refused: it may be an old one, sent again by somebody else."""

_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One way to sign. ``content`` is what is signed before the body; ``mark`` stands before the digest.

    Where there is no ``time`` header, nothing tells an old posting from a new one but its id. Where there is no ``id``
    header, the digest is the id.
    """

    signature: str
    encoding: Literal["base64", "hex"]
    mark: str = ""
    content: str = ""
    id: str = ""
    time: str = ""

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers that a posting must have."""
        return tuple(name for name in (self.id, self.time, self.signature) if name)


SCHEMES: Mapping[str, Scheme] = {
    "standard": Scheme(
        signature="webhook-signature",
        encoding="base64",
        mark="v1,",
        content="{id}.{time}.",
        id="webhook-id",
        time="webhook-timestamp",
    ),
    # Svix signs for Resend and many more: the same under names of its own.
    "resend": Scheme(
        signature="svix-signature",
        encoding="base64",
        mark="v1,",
        content="{id}.{time}.",
        id="svix-id",
        time="svix-timestamp",
    ),
    "slack": Scheme(
        signature="x-slack-signature",
        encoding="hex",
        mark="v0=",
        content="v0:{time}:",
        time="x-slack-request-timestamp",
    ),
    "line": Scheme(signature="x-line-signature", encoding="base64"),
    "github": Scheme(signature="x-hub-signature-256", encoding="hex", mark="sha256=", id="x-github-delivery"),
}
"""Ways to sign by name; `WAYS` of `sfactl.api.genuine` are others."""


def signed(secret: str, message_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers that go with ``body``; ``at`` is UTC without a zone."""
    own = SCHEMES["standard"]
    seconds = str(int(at.replace(tzinfo=UTC).timestamp()))
    digest = _digest(own, secret, message_id, seconds, body)
    return {own.id: message_id, own.time: seconds, own.signature: own.mark + digest}


def verify(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    at: datetime,
    *,
    scheme: str = "standard",
    tolerance_s: float = TOLERANCE_S,
    url: str = "",
) -> str:
    """The id of a genuine posting. Raises `PolicyError` where a header is missing, the time is off or nothing fits.

    A genuine posting may come more than once: whoever acts on it keeps the id and acts once. ``url`` is the address it
    was posted to, which only Twilio signs. Raises `ConfigError` for a secret that can be none.
    """
    if scheme in WAYS:
        posting = Posting(body=body, headers=headers, at=at, url=url)
        return WAYS[scheme](Given(posting=posting, secret=secret, tolerance_s=tolerance_s))
    if scheme not in SCHEMES:
        raise NotFound(f"there is no scheme {scheme!r}", hint=f"There are: {', '.join((*SCHEMES, *WAYS))}")
    way = SCHEMES[scheme]
    given = {name.lower(): value.strip() for name, value in headers.items()}
    if missing := [name for name in way.headers if not given.get(name)]:
        raise PolicyError(f"not signed: there is no header {', '.join(missing)}")
    if way.time:
        check_time(way.time, given[way.time], at, tolerance_s)
    expected = _digest(way, secret, given.get(way.id, ""), given.get(way.time, ""), body)
    # While a secret changes, a posting may carry the signatures of both.
    offered = [part.removeprefix(way.mark) for part in given[way.signature].split() if part.startswith(way.mark)]
    if not any(hmac.compare_digest(expected.encode(), one.encode()) for one in offered):
        raise PolicyError("the signature does not fit: another secret, or the body was altered")
    return given[way.id] if way.id else expected


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: ``whsec_`` and base64, or the text itself."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass  # a secret that only looks like one
    return secret.encode()


def _digest(way: Scheme, secret: str, message_id: str, seconds: str, body: bytes) -> str:
    content = way.content.replace("{id}", message_id).replace("{time}", seconds).encode() + body
    digest = hmac.new(key_of(secret), content, hashlib.sha256).digest()
    return digest.hex() if way.encoding == "hex" else base64.b64encode(digest).decode()
