"""The pace of a campaign's sender in one run: its file's rates, and what it may send today by what it sent before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sfactl.api.errors import NotFound
from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.lineup import Pace
from sfactl.campaigns.pacing import MEMORY_DAYS, Day, Pacing, allowance
from sfactl.campaigns.usecases.checking import pace_of
from sfactl.config.senders import WarmUp, sender_pace
from sfactl.session import Session
from sfactl.workspace.throttle import Hold, Throttle

FILE = "pace.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderUse:
    """How fast a sender may be used and how far it was used today. ``allowed_today`` is None where nothing limits it.

    ``waits`` says who asked us to wait, and until when.
    """

    sender: str
    connections: int
    rate: str
    per_domain: str
    sent_today: int
    allowed_today: int | None
    waits: str


def use_of_senders(session: Session) -> tuple[SenderUse, ...]:
    """The pace of every sender of the workspace, and what was sent through it today. Raises `ConfigError`."""
    throttle = Throttle(session.workspace.private / FILE)
    try:
        holds = throttle.holds(session.now())
    finally:
        throttle.close()
    return tuple(_use(session, name, holds) for name in sorted(session.settings.senders))


def release(session: Session, sender: str) -> int:
    """Forget that receivers asked ``sender`` to wait; answers how many did. Raises `NotFound` for its name."""
    if sender not in session.settings.senders:
        known = ", ".join(sorted(session.settings.senders)) or "none"
        raise NotFound(f"there is no senders/{sender}.toml", hint=f"There are: {known}")
    throttle = Throttle(session.workspace.private / FILE)
    try:
        if session.dry_run:
            return sum(bucket.partition("|")[0] == sender for bucket in throttle.holds(session.now()))
        with throttle.writing():
            return throttle.release(sender)
    finally:
        throttle.close()


def _use(session: Session, name: str, holds: Mapping[str, Hold]) -> SenderUse:
    where = str(session.folder / "senders" / f"{name}.toml")
    pace = sender_pace(session.settings.senders[name], where=where)
    sent = _sent(session, name, session.today())
    waits = {bucket: hold for bucket, hold in holds.items() if bucket.partition("|")[0] == name}
    return SenderUse(
        sender=name,
        connections=pace.connections,
        rate=pace.rate,
        per_domain=" · ".join(
            [*filter(None, (pace.per_domain,)), *(f"{', '.join(d.names)} {d.rate}" for d in pace.domains)]
        ),
        sent_today=sent[0],
        allowed_today=allowance(pace.warm_up, sent[1:]) if pace.warm_up else None,
        waits=" · ".join(
            f"{bucket.partition('|@')[2] or name} until {_local(session, hold.until):%H:%M} {hold.why}".strip()
            for bucket, hold in sorted(waits.items())
        ),
    )


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
