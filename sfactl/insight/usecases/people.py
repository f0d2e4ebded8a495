"""What each rep got done for each day that they worked: leave and part time are not held against anybody."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sfactl.config.calendars import read_calendars
from sfactl.engine.calendars import Interval
from sfactl.insight.model import Scope
from sfactl.insight.sheet import ALL, Sheet, check_row, read_cell, sheet_table
from sfactl.insight.usecases.conversion import behind, last_whole_day
from sfactl.insight.usecases.journeys import observed
from sfactl.insight.working_time import WorkDay, chosen_calendar, full_day_s, weekdays, work_days

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

OUTPUT = ("touches", "sql", "opportunities", "won")
PERIOD = 28
"""Days that are looked at where nobody says: four weeks even out the days of the week."""


def people(session: Session, *, calendar: str = "", scope: Scope | None = None) -> Sheet:
    """Touches, leads brought to sql, deals made and won by rep, and each ÷ the days the rep was at work.

    A day of a full-time rep is 1; a shorter day, or an absence, counts for its part. Raises `UserError`.
    """
    since, until = _period(session, scope or Scope())
    with session.query() as query:
        _make_output(session, query, since, until, scope or Scope())
        counts = ", ".join(f"cast(count(*) filter (where what = '{w}') as bigint) as \"{w}\"" for w in OUTPUT)
        done = {r["part"]: r for r in query.table(f"select part, {counts} from fact group by part").to_pylist()}
        days = _days(session, query, calendar, since, until)
        seq = query.seq
    import pyarrow as pa

    active: dict[str, float] = {}
    for day in days:
        active[day.rep] = active.get(day.rep, 0) + day.worked
    rows = [_row(rep, active.get(rep), done.get(rep, {})) for rep in sorted({*active, *done})]
    columns = {"rep": pa.string(), "active": pa.float64(), **dict.fromkeys(OUTPUT, pa.int64())}
    columns |= dict.fromkeys([f"{w}_a_day" for w in OUTPUT], pa.float64())
    sums = {w: sum(r[w] for r in rows) for w in OUTPUT}
    return Sheet(
        title=f"Output by rep, {since} to {until}",
        table=sheet_table(rows, columns, seq),
        seq=seq,
        total=_row(ALL, sum(active.values()), sums),
        notes=("active: days at work, in days of a full-time rep; absences and public holidays are not in it",),
    )


def people_drill(session: Session, cell: str, *, calendar: str = "", scope: Scope | None = None) -> pa.Table:
    """What is behind REP/touches and so on, and behind REP/active the days with the part worked."""
    wanted = read_cell(cell, ("active", *OUTPUT))
    since, until = _period(session, scope or Scope())
    with session.query() as query:
        if wanted.column != "active":
            _make_output(session, query, since, until, scope or Scope())
            return behind(query, wanted, f"what = '{wanted.column}'", order="done_at, ref")
        days = _days(session, query, calendar, since, until)
        seq = query.seq
    import pyarrow as pa

    check_row(wanted, {d.rep for d in days})
    columns = {"rep": pa.string(), "day": pa.date32(), "worked": pa.float64(), "away": pa.float64()}
    return sheet_table((asdict(d) for d in days if wanted.whole or d.rep == wanted.row), columns, seq)


def _row(rep: str, active: float | None, done: dict[str, int]) -> dict[str, Any]:
    row: dict[str, Any] = {"rep": rep, "active": active, **{w: done.get(w, 0) for w in OUTPUT}}
    return row | {f"{w}_a_day": row[w] / active if active else None for w in OUTPUT}


def _period(session: Session, scope: Scope) -> tuple[date, date]:
    until = min(scope.until or date.max, last_whole_day(session, scope))
    since = scope.since or until - timedelta(days=PERIOD - 1)
    return since, max(since, until)


def _make_output(session: Session, query: Query, since: date, until: date, scope: Scope) -> None:
    params = {"since": since, "until": until, "zone": str(session.zone), "seen_at": observed(session, scope)}
    query.run(f"create or replace temp table fact as {query.statement('insight', 'output')}", params)


def _days(session: Session, query: Query, calendar: str, since: date, until: date) -> list[WorkDay]:
    files = read_calendars(session.folder)
    usual = chosen_calendar(files, calendar, session.zone) if calendar or len(files) == 1 else None
    gone: dict[str, list[Interval]] = {}
    for rep, begin, end in query.rows("select rep_id, starts_at, ends_at from absences"):
        gone.setdefault(rep, []).append((begin, end))
    found: list[WorkDay] = []
    for rep, zone_name, name in query.rows("select rep_id, time_zone, calendar from reps where active order by rep_id"):
        zone = ZoneInfo(zone_name) if zone_name else session.zone
        own = files[name].calendar(zone) if name in files else usual or weekdays(zone)
        full_s = full_day_s(usual or own)
        found += work_days(rep, own, gone.get(rep, ()), since=since, until=until, full_s=full_s)
    return found
