"""One DKIM signature (RFC 6376; Ed25519 by RFC 8463): every header that matters, and some twice.

A header named once more than it occurs cannot be added on the way (RFC 6376, 8.15). What mailbox providers act upon is
so protected: who writes to whom, the subject, and both headers of the one-click way out (RFC 8058, 4).
"""

from __future__ import annotations

from calendar import timegm
from collections.abc import Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import dkim

from sfactl_sender_smtp.keys import SigningKey

TWICE = ("from", "to", "subject", "date", "message-id", "reply-to", "list-unsubscribe", "list-unsubscribe-post")
"""Signed once more than they occur."""

UNSIGNED = frozenset({"return-path", "received", "bcc", "resent-bcc", "comments", "keywords", "dkim-signature"})
"""What changes on the way, or is not meant for readers (RFC 6376, 5.4)."""

RELAXED = (b"relaxed", b"relaxed")
"""So that a server that folds a header anew or trims a blank breaks nothing."""


def sign(content: bytes, key: SigningKey, domain: str, *, now: datetime, headers: Sequence[str] = ()) -> bytes:
    """One DKIM-Signature header for ``content``, made at ``now`` (UTC without a zone), by default over all it should.

    Raises ValueError where ``content`` is no e-mail.
    """
    signing = _Signing(content, key, now)
    try:
        header: bytes = signing.sign(
            key.selector.encode(),
            domain.encode(),
            key.for_dkimpy,
            canonicalize=RELAXED,
            include_headers=list(headers) or _worth_signing(signing.headers),
        )
    except dkim.DKIMException as err:
        raise ValueError(f"it cannot be signed: {err}") from err
    return header


def _worth_signing(headers: Sequence[tuple[bytes, bytes]]) -> list[str]:
    names = [name.decode("ascii").lower() for name, _ in headers]
    return [*(name for name in names if name not in UNSIGNED), *TWICE]


class _Signing(dkim.DKIM):  # type: ignore[misc]
    """dkimpy with the time of the run, and with a key that signs by itself.

    By itself dkimpy reads the clock of the machine, and raises numbers to powers in Python, which takes 9 ms a message.
    """

    def __init__(self, content: bytes, key: SigningKey, now: datetime) -> None:
        super().__init__(content, signature_algorithm=f"{key.algorithm}-sha256".encode())
        self._key = key
        self._at = str(timegm(now.timetuple())).encode()

    def gen_header(self, fields: Any, include_headers: Any, canon: Any, name: Any, _key: Any, **more: Any) -> Any:
        timed = [(tag, self._at if tag == b"t" else value) for tag, value in fields]
        # Only where it thinks of Ed25519 does dkimpy ask the key to sign; the header's a= is written already.
        self.signature_algorithm = b"ed25519-sha256"
        signs = SimpleNamespace(sign=lambda digest: SimpleNamespace(signature=self._key.sign(digest)))
        return super().gen_header(timed, include_headers, canon, name, signs, **more)
