"""Read returned mail: each notice becomes one event, and addresses that are dead or unwilling are left in peace."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.feedback.mailboxes import mails_in
from sfactl.feedback.model import Notice
from sfactl.feedback.notices import date_of, read_notices

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.session import Session

SOFT = 0.5
"""What a bounce that may pass weighs; one that will not weighs 1."""

SOFT_DAYS = 5
WITHIN = timedelta(days=30)
"""Mail to an address that came back on so many days within this time is not tried again."""

KINDS = {"bounce": "bounce", "complaint": "complaint", "answer": "auto_reply"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCount:
    """How many notices gave a reason."""

    kind: str
    reason: str
    hard: bool
    notices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceResult:
    """What was read. ``new`` events were stored, ``known`` ones before; ``strangers`` are of nobody we know."""

    mails: int
    notices: int
    no_report: int
    new: int
    known: int
    strangers: int
    delays: int
    suppressed: int
    reasons: tuple[ReasonCount, ...]
    dry_run: bool = False
    commit: int | None = None


def read_bounces(session: Session, paths: Sequence[Path]) -> BounceResult:
    """Read every mail in ``paths`` (.eml files, maildir, mbox); a mail that was read before adds nothing.

    Events have the kind bounce, complaint or auto_reply, the reason as content, what the server said as text, and 1
    (hard) or 0.5 (soft) as value. A hard bounce and a complaint suppress the address at once, soft ones when mail came
    back on five days within thirty. Raises `UserError`.
    """
    rows: list[dict[str, object]] = []
    counted: Counter[tuple[str, str, bool]] = Counter()
    mails = silent = delays = 0
    for path in paths:
        for raw in mails_in(path):
            mails += 1
            found = read_notices(raw)
            silent += not found
            for notice in found:
                counted[notice.kind, notice.reason, notice.hard] += 1
                delays += notice.kind == "delay"
                if notice.kind in KINDS and notice.reason != "delivered":
                    rows.append(_row(notice, raw, session.now()))
    with session.write("suppressions", reason="returned mail") as tx:
        query = tx.query
        query.register("notices", _table(rows))
        query.run(f"create temp table returned as {query.statement('feedback', 'matched')}")
        (new, strangers) = query.one("select count(*), count(*) - count(lead_id) from returned") or (0, 0)
        refused = query.statement("feedback", "refused")
        params = {"soft_days": SOFT_DAYS, "since": session.now() - WITHIN, "now": session.now()}
        suppressed = tx.upsert("suppressions", refused, params) if new else 0
        tx.append("touchpoints", "select * exclude (recipient) from returned where lead_id is not null")
        commit = tx.commit(mails=mails, new=new, suppressed=suppressed).seq if new else None
    return BounceResult(
        mails=mails,
        notices=sum(counted.values()),
        no_report=silent,
        new=new - strangers,
        known=len(rows) - new,
        strangers=strangers,
        delays=delays,
        suppressed=suppressed,
        reasons=tuple(
            ReasonCount(kind=kind, reason=reason, hard=hard, notices=n)
            for (kind, reason, hard), n in sorted(counted.items(), key=lambda c: (c[0][0], -c[1], c[0]))
        ),
        dry_run=session.dry_run,
        commit=commit,
    )


def _row(notice: Notice, raw: bytes, now: datetime) -> dict[str, object]:
    local = notice.original.strip("<>").partition("@")[0]
    return {
        "event_id": f"returned:{hashlib.sha256(raw).hexdigest()[:32]}:{notice.recipient}",
        "at": _moment(raw, now),
        "kind": KINDS[notice.kind],
        "recipient": notice.recipient,
        "reason": notice.reason,
        "weight": {"bounce": 1.0 if notice.hard else SOFT}.get(notice.kind),
        "diagnosis": notice.diagnosis if notice.status in notice.diagnosis else f"{notice.status} {notice.diagnosis}",
        "original": local,
    }


def _moment(raw: bytes, now: datetime) -> datetime:
    """When the mail was written; now where it does not say, or says a time to come."""
    try:
        at = parsedate_to_datetime(date_of(raw))
    except (TypeError, ValueError):
        return now
    at = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    return min(at, now)


def _table(rows: Sequence[dict[str, object]]) -> pa.Table:
    import pyarrow as pa

    names = ("event_id", "at", "kind", "recipient", "reason", "weight", "diagnosis", "original")
    types = {"at": pa.timestamp("us"), "weight": pa.float64()}
    unique = {row["event_id"]: row for row in rows}
    return pa.Table.from_pylist(list(unique.values()), pa.schema([(n, types.get(n, pa.string())) for n in names]))
