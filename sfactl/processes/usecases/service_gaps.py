"""Late, missed and erroneous work before and after a change, from tasks, deadlines, messages, runs and processes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from sfactl.api.errors import UserError
from sfactl.processes.files import paths
from sfactl.processes.gaps import AFTER, BEFORE, Counted, Gaps, compared
from sfactl.processes.usecases.replay import SQL, replayed

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

PROMISES = {"tasks": "select due_at, done_at as met_at from tasks where due_at is not null and state <> 'dropped'"}
"""What was promised until when, by what it is; deadlines of processes come beside."""

WORKS = {
    "messages": "select \"at\" as moment, state <> 'accepted' as wrong from messages",
    "runs": "select started_at as moment, state in ('failed', 'interrupted', 'missed') as wrong from runs"
    " where state not in ('started', 'waiting', 'skipped')",
}
"""What was done when, and whether it went wrong; events of processes come beside."""


def service_gaps(session: Session, change: date, *, days: int = 30) -> Gaps:
    """Compare ``days`` days before ``change`` with as many from it on (days of the workspace's zone).

    Each period is judged as of its own end, so that what is old has had no longer to be made good. Raises `UserError`.
    """
    if days < 1:
        raise UserError(f"--days {days}: a period has one day at least")
    try:
        edges = [_midnight(session, change + timedelta(days=n)) for n in (-days, 0, days)]
    except OverflowError:
        raise UserError(f"--days {days} leaves the calendar") from None
    now = session.as_of_time()
    if edges[1] >= now:
        raise UserError(f"--change {change}: nothing has happened since then", hint="Name a day in the past.")
    counted: list[Counted] = []
    with session.query() as query:
        _lay_periods(query, edges, now)
        for what, sql in PROMISES.items():
            counted += _due(query, what, sql)
        for what, sql in WORKS.items():
            counted += _done(query, what, sql)
        seq = query.seq
    for path in paths(session.folder):
        with replayed(session, path.stem) as replay:
            _lay_periods(replay.query, edges, now)
            promised = "select due_at, met_at from kept where state <> 'void'"
            counted += _due(replay.query, f"process {path.stem}", promised)
            counted += _done(replay.query, f"process {path.stem}", _STEPS)
    return Gaps(
        change=change,
        before_since=edges[0],
        change_at=edges[1],
        after_until=min(edges[2], now),
        seq=seq,
        unfinished=now < edges[2],
        gaps=compared(counted),
    )


_STEPS = """
select t.moment, not t.allowed or (a.at_most is not null and t.nth > a.at_most) as wrong
from (select *, row_number() over (partition by case_id, number order by place) as nth from trace) t
inner join activity a on a.number = t.number
"""


def _midnight(session: Session, day: date) -> datetime:
    return datetime.combine(day, time(), session.zone).astimezone(UTC).replace(tzinfo=None)


def _lay_periods(query: Query, edges: list[datetime], now: datetime) -> None:
    import pyarrow as pa

    moment = pa.timestamp("us")
    table = {
        "name": pa.array([BEFORE, AFTER]),
        "since_at": pa.array(edges[:2], moment),
        "until_at": pa.array([edges[1], min(edges[2], now)], moment),
    }
    query.register("period", pa.table(table))


def _due(query: Query, what: str, sql: str) -> Iterator[Counted]:
    query.run(f"create or replace temp table promise as {sql}")
    for period, _, due, late, missed in query.rows(query.statement(SQL, "gap_due"), {"what": what}):
        yield Counted(period=period, what=what, measure="late", gaps=late, of=due)
        yield Counted(period=period, what=what, measure="missed", gaps=missed, of=due)


def _done(query: Query, what: str, sql: str) -> Iterator[Counted]:
    query.run(f"create or replace temp table work as {sql}")
    for period, _, done, wrong in query.rows(query.statement(SQL, "gap_done"), {"what": what}):
        yield Counted(period=period, what=what, measure="erroneous", gaps=wrong, of=done)
