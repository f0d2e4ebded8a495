"""The pace of a campaign's sender in one run: its file's rates, and what it may send today by what it sent before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta

from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.lineup import Pace
from sfactl.campaigns.pacing import MEMORY_DAYS, Day, Pacing, allowance
from sfactl.campaigns.usecases.checking import pace_of
from sfactl.config.senders import WarmUp
from sfactl.session import Session
from sfactl.workspace.throttle import Throttle

FILE = "pace.db"


@contextmanager
def paced(session: Session, files: CampaignFiles, scope: str) -> Iterator[Pace]:
    """The pace for a run of ``scope``, whose lease the caller holds."""
    name = files.campaign.sender
    pace = pace_of(session, files)
    throttle = Throttle(session.workspace.private / FILE)
    try:
        yield Pacing(
            name,
            pace,
            throttle,
            scope=scope,
            now=session.now,
            day=_days(session, name, pace.warm_up) if pace.warm_up else lambda: None,
            local=lambda at: f"{_local(session, at):%Y-%m-%d %H:%M}",
        )
    finally:
        throttle.close()


def allowed_today(session: Session, sender: str, warm_up: WarmUp) -> Day | None:
    """What the sender may send today, and has sent already; None once it is warm."""
    today = session.today()
    sent = _sent(session, sender, today)
    most = allowance(warm_up, sent[1:])
    if most is None:
        return None
    return Day(bucket=f"{sender}|{today}", most=most, sent=sent[0], until=_begin(session, today + timedelta(days=1)))


def _days(session: Session, sender: str, warm_up: WarmUp) -> Callable[[], Day | None]:
    """The day's allowance, worked out once a day."""
    known: dict[date, Day | None] = {}

    def day() -> Day | None:
        today = session.today()
        if today not in known:
            known[today] = allowed_today(session, sender, warm_up)
        return known[today]

    return day


def _sent(session: Session, sender: str, today: date) -> list[int]:
    """Messages that may have arrived, by day: today, yesterday, and so on."""
    import pyarrow as pa

    edges = [_begin(session, today + timedelta(days=1 - n)) for n in range(MEMORY_DAYS + 2)]
    days = pa.table({"day_no": range(MEMORY_DAYS + 1), "begins": edges[1:], "ends": edges[:-1]})
    sent = [0] * (MEMORY_DAYS + 1)
    with session.query() as query:
        query.register("days", days)
        for number, messages in query.rows(query.statement("campaigns", "sent_daily"), {"sender": sender}):
            sent[number] = messages
    for row in session.ledger.rows():
        if row.meta.get("sender") == sender and row.state in ("sending", "accepted", "unknown"):
            sent[0] += (row.settled_at or row.planned_at) >= edges[1]
    return sent


def _begin(session: Session, day: date) -> datetime:
    """When a day begins in the workspace's zone, naive UTC."""
    return datetime.combine(day, time(), session.zone).astimezone(UTC).replace(tzinfo=None)


def _local(session: Session, at: datetime) -> datetime:
    return at.replace(tzinfo=UTC).astimezone(session.zone)
