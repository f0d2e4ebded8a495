"""Turn what e-mail and SMS services tell of messages into the rows that become events.

The words of the other server decide why a message came back, as they do for returned mail, unless the service knows
better; a program that opens or follows is told by its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfactl.api.records import MessageEvent
from sfactl.engine.robots import is_scanner
from sfactl.feedback.model import Notice
from sfactl.feedback.reasons import reason_of, reply_in, status_in

if TYPE_CHECKING:
    import pyarrow as pa

TOLD = {
    "event_id": "varchar",
    "at": "timestamp",
    "kind": "varchar",
    "recipient": "varchar",
    "channel": "varchar",
    "key": "varchar",
    "provider_id": "varchar",
    "message_id": "varchar",
    "reason": "varchar",
    "weight": "double",
    "said": "varchar",
    "page": "varchar",
    "machine": "boolean",
}
LONGEST = 2000
"""Letters of what was said that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An event that the service behind ``use`` told; ``channel`` is the one it carries."""

    use: str
    channel: str
    event: MessageEvent


def told_table(reports: Sequence[Report]) -> pa.Table:
    """The reports as a table with the columns `TOLD`; what was told twice is there once."""
    import pyarrow as pa

    from sfactl.schemas.dataset import arrow_type

    rows = {event_id(r): _row(r) for r in reports}
    schema = pa.schema([(name, arrow_type(kind)) for name, kind in TOLD.items()])
    return pa.Table.from_pylist([{"event_id": own, **row} for own, row in rows.items()], schema)


def event_id(report: Report) -> str:
    """The id of the touchpoint: the same however often, and by whatever way, the service tells it."""
    text = f"{report.use}\x1f{report.event.id}"
    return f"told:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _row(report: Report) -> dict[str, Any]:
    e = report.event
    reason, hard = _why(e) if e.kind == "bounce" else ("", False)
    local = e.message_id.strip("<> ").partition("@")[0]
    return {
        "at": e.at,
        "kind": e.kind,
        "recipient": e.recipient.strip().lower(),
        "channel": report.channel,
        "key": e.key,
        "provider_id": e.provider_id.strip("<> "),
        "message_id": local,
        "reason": reason or ("abuse" if e.kind == "complaint" else ""),
        "weight": (1.0 if hard else 0.5) if e.kind == "bounce" else None,
        "said": e.said[:LONGEST],
        "page": e.page[:LONGEST],
        "machine": e.machine or (e.kind in ("open", "click") and _by_robot(e)),
    }


def _by_robot(event: MessageEvent) -> bool:
    # A service that tells no name tells nothing of who asked.
    return bool(event.agent) and is_scanner(event.agent, picture=event.kind == "open")


def _why(event: MessageEvent) -> tuple[str, bool]:
    """Why a message came back, and whether its address is wrong for good."""
    status, code = status_in(event.said), reply_in(event.said)
    reason = reason_of(event.said, status, code, "rcpt")
    notice = Notice(kind="bounce", recipient=event.recipient, reason=reason, status=status, reply_code=code)
    return reason, notice.hard if event.hard is None else event.hard
