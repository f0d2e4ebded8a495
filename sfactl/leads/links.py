"""Links that say who followed them: a lead's number with a signature that only this workspace can make.

The signature is HMAC-SHA256 (RFC 2104) over the number, cut to 80 bits: enough that nobody guesses another lead's.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sfactl.leads.cleaning.expression import Answer

PARAMETER = "sfl"
"""Name of the query parameter."""
KEY_FILE = "links.key"


def key_of(private: Path, *, make: bool) -> bytes | None:
    """The workspace's key for links; made at first use, readable by its owner only. None where there is none."""
    path = private / KEY_FILE
    if not path.exists() and make:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
    return path.read_bytes() if path.exists() else None


def token(key: bytes, lead_id: int) -> str:
    """What the link of one lead carries."""
    digest = hmac.new(key, str(lead_id).encode(), hashlib.sha256).digest()[:10]
    return f"{lead_id}.{urlsafe_b64encode(digest).decode().rstrip('=')}"


def link(url: str, key: bytes, lead_id: int) -> str:
    """``url`` with the lead's token in its query."""
    parts = urlsplit(url)
    query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k != PARAMETER]
    return urlunsplit(parts._replace(query=urlencode([*query, (PARAMETER, token(key, lead_id))])))


def read_tokens(rows: Sequence[Answer], key: bytes | None) -> list[Answer]:
    """(lead number as text,) for each token that this workspace signed, (None,) for others."""
    return [(_read(str(row[0] or ""), key),) for row in rows]


def _read(text: str, key: bytes | None) -> str | None:
    number, dot, _ = text.partition(".")
    if key is None or not dot or not (number.isascii() and number.isdigit()) or len(number) > 18:
        return None
    return number if hmac.compare_digest(token(key, int(number)).encode(), text.encode()) else None
