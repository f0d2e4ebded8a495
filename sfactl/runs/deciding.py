"""Decide what is due: which slots have come, what becomes of those that were missed, and which attempt it is.

Pure. A slot is settled once: done, given up, or failed as often as it may. Until then it stays due.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sfactl.runs.model import FINAL, Attempt, Due, Job

LOOK_BACK = timedelta(days=40)
COUNTED = 60_000
"""So many slots are counted at most: every minute of the days that are looked back."""
EACH_AT_MOST = 100
"""So many runs of one job are due at once at most, where each missed slot is to be done."""
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is known of a job: since when its schedule is followed (None: never seen), and its attempts."""

    since: datetime | None = None
    attempts: Sequence[Attempt] = ()
    approved: frozenset[str] = frozenset()


def due_runs(job: Job, past: Past, now: datetime, zone: ZoneInfo) -> list[Due]:
    """The runs of ``job`` that are due at ``now``, the earliest first; given-up ones are among them."""
    if job.idle or job.schedule is None:
        return []
    slots = _slots(job, _settled_until(job, past, now, zone), now, zone)
    if not slots:
        return _approved(job, past)
    on_time = job.grace.before(now)
    if job.misfire == "each":
        return [_due(job, past, [at], late=at < on_time) for at in slots[:EACH_AT_MOST]]
    late = slots[-1] < on_time
    return [_due(job, past, slots, late=late, missed=late and job.misfire == "skip")]


def first_seen(job: Job, now: datetime, zone: ZoneInfo) -> datetime:
    """Since when the slots of a job count whose schedule is new: its latest does, where that is within the grace."""
    begin = job.grace.before(now) - MOMENT
    found = [] if job.schedule is None else job.schedule.between(begin, now, zone, most=COUNTED)
    return found[-1] - MOMENT if found else now


def next_slot(job: Job, after: datetime, zone: ZoneInfo) -> datetime | None:
    """The first slot later than ``after``, None where none comes."""
    return next(iter(coming(job, after, zone, 1)), None)


def coming(job: Job, after: datetime, zone: ZoneInfo, count: int) -> list[datetime]:
    """The next ``count`` slots later than ``after``; fewer where they end."""
    found: list[datetime] = []
    if job.idle or job.schedule is None:
        return found
    for place, at in enumerate(job.schedule.after(after, zone)):
        if len(found) == count or place > COUNTED:
            break
        if _counts(job, at):
            found.append(at)
    return found


def _slots(job: Job, after: datetime, now: datetime, zone: ZoneInfo) -> list[datetime]:
    assert job.schedule is not None
    if job.misfire == "each":
        found = job.schedule.between(after, now, zone, most=COUNTED)
    else:
        found = job.schedule.between(max(after, now - LOOK_BACK), now, zone, most=COUNTED)
        if not found and (last := job.schedule.latest(after, now, zone)):
            found = [last]
    return [at for at in found if _counts(job, at)]


def _counts(job: Job, at: datetime) -> bool:
    return job.calendar is None or job.calendar.is_open(at)


def _settled_until(job: Job, past: Past, now: datetime, zone: ZoneInfo) -> datetime:
    since = past.since
    if since is None:
        since = min((a.due_at - MOMENT for a in past.attempts), default=None) or first_seen(job, now, zone)
    return max([since, *(a.due_at for a in past.attempts if _settled(job, past, a.due_at))])


def _settled(job: Job, past: Past, due_at: datetime) -> bool:
    tried = [a for a in past.attempts if a.due_at == due_at]
    last = max(tried, key=lambda a: a.attempt)
    failed = sum(a.state == "failed" for a in tried)
    return last.state in FINAL or failed >= job.attempts


def _due(job: Job, past: Past, slots: Sequence[datetime], *, late: bool, missed: bool = False) -> Due:
    states = [a.state for a in past.attempts if a.due_at == slots[-1]]
    return Due(
        job=job,
        due_at=slots[-1],
        first_due_at=slots[0],
        slots=len(slots),
        attempt=_next_attempt(past.attempts, slots[-1]),
        failed=states.count("failed"),
        died=states.count("interrupted"),
        late=late,
        missed=missed,
    )


def _next_attempt(attempts: Iterable[Attempt], due_at: datetime) -> int:
    last = max((a for a in attempts if a.due_at == due_at), key=lambda a: a.attempt, default=None)
    if last is None:
        return 1
    # What was left out for the sake of another job was not tried.
    return last.attempt if last.state == "skipped" else last.attempt + 1


def _approved(job: Job, past: Past) -> list[Due]:
    """The last slot, where its plan waited for an approval and has got it."""
    last = max(past.attempts, key=lambda a: (a.due_at, a.attempt), default=None)
    if last is None or last.state != "waiting" or last.plan_id not in past.approved:
        return []
    attempt = _next_attempt(past.attempts, last.due_at)
    return [Due(job=job, due_at=last.due_at, first_due_at=last.due_at, attempt=attempt)]
