"""How long leads take from stage to stage and to the first human answer; who still waits counts as long as seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfactl.insight.model import PARTS, Scope
from sfactl.insight.sheet import ALL, Sheet, check_row, read_cell, sheet_table
from sfactl.insight.usecases.journeys import check, journeys, observed, rows

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

CELLS = {"begun": "true", "done": "done = 1", "waiting": "done = 0"}
CLOCKS = ("calendar", "business")
DAY_S = 86_400


def speed(session: Session, *, by: str = "", clock: str = "calendar", scope: Scope | None = None) -> Sheet:
    """Median and 90th percentile of the time for each step, by Kaplan and Meier, of those who have begun it.

    Null where fewer than half (nine tenths) are known to have done it. ``clock`` business counts working time only.
    Raises `UserError`.
    """
    with journeys(session, by=check(by, ("", *PARTS), "--by"), scope=scope) as (query, known):
        _spans(session, query, clock, scope or Scope())
        answer = rows(query, "survival")
        (early,) = query.rows("select cast(coalesce(sum(early), 0) as bigint) from span")[0]
    import pyarrow as pa

    columns: dict[str, pa.DataType] = {"step": pa.string()}
    if by:
        columns[by] = pa.string()
    columns |= {**dict.fromkeys(CELLS, pa.int64()), "median_days": pa.float64(), "p90_days": pa.float64()}
    filled = [{**row, by: row["part"], **_days(row)} for row in answer]
    warnings = (f"{early:,} times a step was done before it began: counted as at once",) if early else ()
    return Sheet(
        title=f"Time from stage to stage in {clock} time" + (f", by {by}" if by else ""),
        table=sheet_table(filled, columns, known.seq),
        seq=known.seq,
        warnings=warnings,
        notes=(
            "median and 90 % count who is waiting as long as seen (Kaplan-Meier); n/a: not yet that many",
            "first touch is a call, meeting or demo, or what a rep sent; mails of campaigns are none",
        ),
    )


def speed_drill(
    session: Session, cell: str, *, by: str = "", clock: str = "calendar", scope: Scope | None = None
) -> pa.Table:
    """The leads behind STEP/begun, STEP/done or STEP/waiting, with ``by`` PART:STEP/…; each with its seconds."""
    with journeys(session, by=check(by, ("", *PARTS), "--by"), scope=scope) as (query, _):
        _spans(session, query, clock, scope or Scope())
        wanted = read_cell(cell, list(CELLS))
        name = "concat(part, ':', step)" if by else "step"
        check_row(wanted, (r[0] for r in query.rows(f"select distinct {name} from span")))
        return query.table(
            f"select * from span where ($row = '{ALL}' or {name} = $row) and {CELLS[wanted.column]}"
            " order by step_no, lead_id",
            {"row": wanted.row},
        )


def _days(row: dict[str, float | None]) -> dict[str, float | None]:
    return {
        f"{name}_days": None if row[f"{name}_s"] is None else (row[f"{name}_s"] or 0) / DAY_S
        for name in ("median", "p90")
    }


def _spans(session: Session, query: Query, clock: str, scope: Scope) -> None:
    """Make the table ``span`` with the seconds that each begun step took or has taken so far."""
    check(clock, CLOCKS, "--clock")
    seen_at = observed(session, scope)
    query.run(f"create temp table begun as {query.statement('insight', 'spans')}", {"seen_at": seen_at})
    seconds = "date_diff('microsecond', started_at, until_at) / 1000000.0"
    query.run(f"create temp table span as select *, {seconds} as seconds from begun")
