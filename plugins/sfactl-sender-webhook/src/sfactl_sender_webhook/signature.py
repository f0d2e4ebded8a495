"""Sign a body together with the time, so that the receiver can tell our messages from others' and from old ones."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

HEADER = "X-Sfactl-Signature"


def signature(secret: str, body: bytes, at: datetime) -> str:
    """``t=<seconds>,v1=<hex>``: HMAC-SHA256 (RFC 2104) over ``<seconds>.<body>``; ``at`` is UTC without a zone."""
    seconds = str(int(at.replace(tzinfo=UTC).timestamp()))
    digest = hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"
