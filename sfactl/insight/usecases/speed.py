"""How long leads take from stage to stage and to the first human answer; who still waits counts as long as seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sfactl.config.calendars import read_calendars
from sfactl.insight.model import PARTS, Scope
from sfactl.insight.sheet import ALL, Sheet, check_row, read_cell, sheet_table
from sfactl.insight.usecases.journeys import check, journeys, observed, rows
from sfactl.insight.working_time import chosen_calendar

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

CELLS = {"begun": "true", "done": "done = 1", "waiting": "done = 0"}
CLOCKS = ("calendar", "business")
DAY_S = 86_400
HOUR_S = 3_600


def speed(
    session: Session, *, by: str = "", clock: str = "calendar", calendar: str = "", scope: Scope | None = None
) -> Sheet:
    """Median and 90th percentile of the time for each step, by Kaplan and Meier, of those who have begun it.

    Null where fewer than half (nine tenths) are known to have done it. ``clock`` business counts the working time
    of ``calendar`` only, in hours. Raises `UserError`.
    """
    with journeys(session, by=check(by, ("", *PARTS), "--by"), scope=scope) as (query, _):
        make_spans(session, query, clock, calendar, scope or Scope())
        return read_speed(query, by, clock)


def read_speed(query: Query, by: str = "", clock: str = "calendar") -> Sheet:
    """`speed` of the table ``span``."""
    import pyarrow as pa

    answer = rows(query, "survival")
    (early,) = query.rows("select cast(coalesce(sum(early), 0) as bigint) from span")[0]
    columns: dict[str, pa.DataType] = {"step": pa.string()}
    if by:
        columns[by] = pa.string()
    unit, length_s = ("days", DAY_S) if clock == "calendar" else ("hours", HOUR_S)
    columns |= dict.fromkeys(CELLS, pa.int64()) | dict.fromkeys((f"median_{unit}", f"p90_{unit}"), pa.float64())
    filled = [{**row, by: row["part"], **_lengths(row, unit, length_s)} for row in answer]
    warnings = (f"{early:,} times a step was done before it began: counted as at once",) if early else ()
    return Sheet(
        title=f"Time from stage to stage in {clock} time" + (f", by {by}" if by else ""),
        table=sheet_table(filled, columns, query.seq),
        seq=query.seq,
        warnings=warnings,
        notes=(
            "median and 90 % count who is waiting as long as seen (Kaplan-Meier); n/a: not yet that many",
            "first touch is a call, meeting or demo, or what a rep sent; mails of campaigns are none",
        ),
    )


def speed_drill(
    session: Session,
    cell: str,
    *,
    by: str = "",
    clock: str = "calendar",
    calendar: str = "",
    scope: Scope | None = None,
) -> pa.Table:
    """The leads behind STEP/begun, STEP/done or STEP/waiting, with ``by`` PART:STEP/…; each with its seconds."""
    with journeys(session, by=check(by, ("", *PARTS), "--by"), scope=scope) as (query, _):
        make_spans(session, query, clock, calendar, scope or Scope())
        wanted = read_cell(cell, list(CELLS))
        name = "concat(s.part, ':', s.step)" if by else "s.step"
        check_row(wanted, (r[0] for r in query.rows(f"select distinct {name} from span s")))
        return query.table(
            "select s.*, j.full_name, j.company, j.source, j.owner from span s join journey j on j.lead_id = s.lead_id"
            f" where ($row = '{ALL}' or {name} = $row) and {CELLS[wanted.column]}"
            " order by s.step_no, s.lead_id",
            {"row": wanted.row},
        )


def _lengths(row: Mapping[str, Any], unit: str, length_s: int) -> dict[str, float | None]:
    return {
        f"{name}_{unit}": None if row[f"{name}_s"] is None else row[f"{name}_s"] / length_s
        for name in ("median", "p90")
    }


def make_spans(session: Session, query: Query, clock: str, calendar: str, scope: Scope) -> None:
    """Make the table ``span`` with the seconds that each begun step took or has taken so far."""
    check(clock, CLOCKS, "--clock")
    seen_at = observed(session, scope)
    begun = query.statement("insight", "spans")
    if clock == "calendar":
        seconds = "date_diff('microsecond', started_at, until_at) / 1000000.0"
        query.run(
            f"create or replace temp table span as select *, {seconds} as seconds from ({begun})", {"seen_at": seen_at}
        )
        return
    query.run(f"create or replace temp table begun as {begun}", {"seen_at": seen_at})
    query.register("working", _working(session, query, calendar))
    query.run(
        "create or replace temp table span as select b.*, (u.passed - s.passed) / 1000000.0 as seconds from begun b"
        " join working s on s.moment = b.started_at join working u on u.moment = b.until_at"
    )


def _working(session: Session, query: Query, calendar: str) -> pa.Table:
    """The working time that had passed at each moment that a step begins or ends, in microseconds."""
    import pyarrow as pa

    used = chosen_calendar(read_calendars(session.folder), calendar, session.zone)
    moments = query.table("select started_at as moment from begun union select until_at from begun order by 1")[
        "moment"
    ].combine_chunks()
    numbers = moments.cast(pa.int64()).to_numpy(zero_copy_only=False)
    if not len(numbers):
        return pa.table({"moment": moments, "passed": pa.array([], pa.int64())})
    timeline = used.timeline(moments[0].as_py(), moments[-1].as_py())
    return pa.table({"moment": moments, "passed": pa.array(timeline.passed(numbers), pa.int64())})
