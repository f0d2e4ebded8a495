"""Sign what is posted, and tell a genuine posting from a forged, an altered or an old one.

The form is that of the Standard Webhooks specification (standardwebhooks.com), for which most languages have a
library: HMAC-SHA256 (RFC 2104) over ``<id>.<seconds>.<body>``, in three headers.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

from sfactl.api.errors import PolicyError

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE_S = 300.0
"""A posting whose time is further from ours is refused: it may be an old one, sent again by somebody else."""

_PREFIX = "whsec_"


def signed(secret: str, message_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """The three headers that go with ``body``; ``at`` is UTC without a zone."""
    seconds = str(int(at.replace(tzinfo=UTC).timestamp()))
    return {ID: message_id, TIMESTAMP: seconds, SIGNATURE: f"v1,{_digest(secret, message_id, seconds, body)}"}


def verify(
    secret: str, headers: Mapping[str, str], body: bytes, at: datetime, *, tolerance_s: float = TOLERANCE_S
) -> str:
    """The id of a genuine posting. Raises `PolicyError` where a header is missing, the time is off or nothing fits.

    A genuine posting may come more than once: whoever acts on it keeps the id and acts once.
    """
    given = {name.lower(): value for name, value in headers.items()}
    missing = [name for name in (ID, TIMESTAMP, SIGNATURE) if not given.get(name)]
    if missing:
        raise PolicyError(f"not signed: there is no header {', '.join(missing)}")
    seconds = given[TIMESTAMP]
    if not (seconds.isascii() and seconds.isdigit()):
        raise PolicyError(f"{TIMESTAMP}: {seconds!r} is not a number of seconds")
    off = int(seconds) - at.replace(tzinfo=UTC).timestamp()
    if abs(off) > tolerance_s:
        raise PolicyError(f"{TIMESTAMP}: {abs(off):,.0f} seconds {'ahead' if off > 0 else 'old'}, more than allowed")
    expected = _digest(secret, given[ID], seconds, body)
    offered = [part.removeprefix("v1,") for part in given[SIGNATURE].split() if part.startswith("v1,")]
    if not any(hmac.compare_digest(expected.encode(), one.encode()) for one in offered):
        raise PolicyError("the signature does not fit: another secret, or the body was altered")
    return given[ID]


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: ``whsec_`` and base64, or the text itself."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass  # a secret that only looks like one
    return secret.encode()


def _digest(secret: str, message_id: str, seconds: str, body: bytes) -> str:
    content = f"{message_id}.{seconds}.".encode() + body
    return base64.b64encode(hmac.new(key_of(secret), content, hashlib.sha256).digest()).decode()
