"""Our keys at the ERP: ``sfactl:<tenant>:<kind>:<our id>``, the same on every try, readable and reversible."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from datetime import date
from decimal import Decimal
from typing import Any

from sfactl.api.errors import DataError

_KEY = re.compile(r"sfactl:(?P<tenant>[^:]+):(?P<kind>[a-z_]+):(?P<id>.+)")
_ORDER = re.compile(r"(?:order:|O-|o-)?(?P<id>\d+)")


def key(tenant: str, kind: str, our_id: object) -> str:
    """The key of a thing of ours."""
    return f"sfactl:{tenant}:{kind}:{our_id}"


def our_id(text: str, tenant: str, kind: str) -> str | None:
    """Our id in a key of this tenant and kind; None for a key that is not ours."""
    match = _KEY.fullmatch(text)
    if match is None or match["tenant"] != tenant or match["kind"] != kind:
        return None
    return match["id"]


def our_number(text: str, tenant: str, kind: str) -> int | None:
    """Our numeric id in a key; None where there is none."""
    found = our_id(text, tenant, kind)
    return int(found) if found is not None and found.isascii() and found.isdigit() else None


def order_number(order_id: int) -> str:
    """How an order is called in front of people."""
    return f"O-{order_id}"


def parse_order(text: str) -> int:
    """The number in ``O-12``, ``order:12`` or ``12``. Raises `DataError`."""
    match = _ORDER.fullmatch(text.strip())
    if match is None:
        raise DataError(f"{text!r} is not an order", hint="Write it as O-12 or 12. See: sfactl order list")
    return int(match["id"])


def payload_hash(payload: Any) -> str:
    """SHA-256 of a payload's canonical JSON: equal content gives the same hash, whatever the scale of its decimals."""
    text = json.dumps(dataclasses.asdict(payload), sort_keys=True, ensure_ascii=False, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a payload holds a {type(value).__name__}")


def readable(text: str) -> str:
    """A key of ours as people say it: ``order O-12``, ``customer 7``, ``product LX-300``."""
    match = _KEY.fullmatch(text)
    if match is None:
        return text
    return f"{match['kind']} {'O-' if match['kind'] == 'order' else ''}{match['id']}"
