"""How many came to an outcome: cohorts by their age, and deals by their win rate, with the rows behind each number."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Any

from sfactl.engine.periods import parse_period
from sfactl.insight.model import PARTS, Scope
from sfactl.insight.sheet import ALL, Cell, Sheet, check_row, rated, read_cell, sheet_table
from sfactl.insight.usecases.journeys import NEVER, check, journeys, observed, rows, stage_number

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

STEPS = {"week": 7, "month": 30, "quarter": 91}
"""Days of one step of age, by the length of the cohorts."""

MOST_AGES = 24

DEAL_PARTS = ("rep", "source", "channel", "direction", "product", "campaign", "pipeline", "currency", "month")
"""What deals can be parted by."""

DENOMINATORS = {"all": "true", "closed": "(won = 1 or lost = 1)"}
"""Which deals a win rate is of, as SQL."""

SOURCE_CELLS = {"leads": "true", "hits": "hit = 1", "under_way": "under_way = 1"}


def make_fact(session: Session, query: Query, outcome: str) -> None:
    """Make the table ``fact``: ``journey`` with what each lead came to of ``outcome`` and when."""
    query.run(
        f"create or replace temp table fact as {query.statement('insight', 'reached')}",
        {"stage_no": stage_number(outcome), "zone": str(session.zone)},
    )


def behind(query: Query, cell: Cell, test: str, *, order: str, parts: str = "select part from fact") -> pa.Table:
    """The rows of ``fact`` in the row of ``cell`` for which the SQL ``test`` holds.

    Raises `UserError` for a row that is not among ``parts``, a SELECT.
    """
    check_row(cell, (r[0] for r in query.rows(f"select distinct part from ({parts})")))
    part = "true" if cell.whole else "part = $row"
    return query.table(f"select * from fact where {part} and ({test}) order by {order}", {"row": cell.row})


def source_drill(
    session: Session, cell: str, *, by: str = "source", to: str = "won", scope: Scope | None = None
) -> pa.Table:
    """The leads behind a cell of `source`: PART/leads, PART/OUTCOME, PART/under_way; PART may be ``all``."""
    check(by, PARTS, "--by")
    with journeys(session, by=by, scope=scope) as (query, _):
        make_fact(session, query, to)
        tests = {"leads": SOURCE_CELLS["leads"], to: SOURCE_CELLS["hits"], "under_way": SOURCE_CELLS["under_way"]}
        wanted = read_cell(cell, list(tests))
        return behind(query, wanted, tests[wanted.column], order="lead_id")


def cohort(session: Session, *, by: str = "month", to: str = "won", scope: Scope | None = None) -> Sheet:
    """How many of the leads first met in each period had come to the outcome within so many days of first contact.

    One row is a cohort at an age. ``complete`` is false where not all of its leads have been seen that long: such a
    number may still rise. ``ever`` is what came of the cohort to date, and agrees with `source` by the same period.
    """
    check(by, STEPS, "--by")
    with journeys(session, by=by, scope=scope) as (query, _):
        return read_cohort(session, query, by, to, scope or Scope())


def read_cohort(session: Session, query: Query, by: str, to: str, scope: Scope) -> Sheet:
    """`cohort` of the table ``journey``, whose parts are by ``by``."""
    import pyarrow as pa

    make_fact(session, query, to)
    (oldest, undated) = query.rows(
        "select min(lead_on), sum(case when hit = 1 and outcome_on is null then 1 else 0 end) from fact"
    )[0]
    seen_on = last_whole_day(session, scope)
    ages = min(MOST_AGES, ((seen_on - oldest).days // STEPS[by]) + 1) if oldest else 0
    answer = rows(query, "cohort", {"step": STEPS[by], "ages": max(0, ages), "seen_on": seen_on, "by": by})
    columns = {by: pa.string(), "days": pa.int64(), "leads": pa.int64(), "converted": pa.int64()}
    columns |= {"ever": pa.int64(), "complete": pa.bool_()}
    table = sheet_table(({**r, by: r["part"]} for r in answer), columns, query.seq, hits="converted", of="leads")
    warnings = (f"{undated:,} came to {to} at an unknown time: they count only in ever",) if undated else ()
    return Sheet(
        title=f"Leads that came to {to}, by {by} of first contact and days since",
        table=table,
        seq=query.seq,
        warnings=warnings,
        notes=(f"seen up to {seen_on}; + marks numbers that may still rise, as not all leads are that old",),
    )


def cohort_window(
    session: Session, window: str, *, by: str = "month", to: str = "won", scope: Scope | None = None
) -> Sheet:
    """The conversion within ``window`` of first contact, of the leads of each cohort that were seen that long.

    Younger leads are in ``leads`` but not in ``mature``, which the rate is of.
    """
    check(by, STEPS, "--by")
    scope = scope or Scope()
    days = int(parse_period(window).fixed_days)
    with journeys(session, by=by, scope=scope) as (query, known):
        make_fact(session, query, to)
        seen_on = last_whole_day(session, scope)
        answer = rows(query, "cohort_window", {"window": days, "last_on": seen_on - timedelta(days=days)})
    import pyarrow as pa

    keys = ("leads", "mature", "converted")
    columns = {by: pa.string(), **dict.fromkeys(keys, pa.int64())}
    table = sheet_table(({**r, by: r["part"]} for r in answer), columns, known.seq, hits="converted", of="mature")
    return Sheet(
        title=f"Leads that came to {to} within {days} days of first contact",
        table=table,
        seq=known.seq,
        total=rated({by: ALL, **{k: sum(r[k] for r in answer) for k in keys}}, "converted", "mature"),
        notes=(f"seen up to {seen_on}; the rate is of mature leads, first met at least {days} days before",),
    )


def cohort_drill(
    session: Session, cell: str, *, by: str = "month", to: str = "won", scope: Scope | None = None, window: str = ""
) -> pa.Table:
    """The leads behind COHORT/leads, /ever or /DAYS; with ``window`` behind COHORT/leads, /mature or /converted."""
    check(by, STEPS, "--by")
    scope = scope or Scope()
    seen_on = last_whole_day(session, scope)
    aged = "hit = 1 and date_diff('day', lead_on, outcome_on) <= {}"
    tests = {"leads": "lead_on is not null", "ever": "hit = 1 and lead_on is not null"}
    if window:
        days = int(parse_period(window).fixed_days)
        mature = f"lead_on <= date '{seen_on - timedelta(days=days)}'"
        tests = {"leads": tests["leads"], "mature": mature, "converted": f"{mature} and {aged.format(days)}"}
    else:
        tests |= {str(n * STEPS[by]): aged.format(n * STEPS[by]) for n in range(1, MOST_AGES + 1)}
    with journeys(session, by=by, scope=scope) as (query, _):
        make_fact(session, query, to)
        wanted = read_cell(cell, list(tests))
        return behind(query, wanted, tests[wanted.column], order="lead_id")


def winrate(session: Session, *, by: str = "source", denominator: str = "all", scope: Scope | None = None) -> Sheet:
    """Won deals ÷ deals, all of them or only the closed ones, with the Wilson interval at 95 %."""
    check(by, DEAL_PARTS, "--by")
    check(denominator, DENOMINATORS, "--denominator")
    scope = scope or Scope()
    with session.query() as query:
        _make_deals(session, query, by, scope)
        answer = query.table(
            "select part, cast(count(*) as bigint) as deals, cast(sum(won) as bigint) as won,"
            " cast(sum(lost) as bigint) as lost, cast(sum(won + lost) as bigint) as closed"
            " from fact group by part order by part"
        ).to_pylist()
        seq = query.seq
    import pyarrow as pa

    keys = ("deals", "won", "lost", "closed")
    of = "deals" if denominator == "all" else "closed"
    columns = {by: pa.string(), **dict.fromkeys(keys, pa.int64())}
    table = sheet_table(({**r, by: r["part"]} for r in answer), columns, seq, hits="won", of=of)
    return Sheet(
        title=f"Win rate: deals won of {'all deals' if of == 'deals' else 'deals won or lost'}, by {by}",
        table=table,
        seq=seq,
        total=rated({by: ALL, **{k: sum(r[k] for r in answer) for k in keys}}, "won", of),
        notes=("deals that were filtered out (with a reason) are not in it",),
    )


def winrate_drill(session: Session, cell: str, *, by: str = "source", scope: Scope | None = None) -> pa.Table:
    """The deals behind PART/deals, PART/won, PART/lost or PART/closed."""
    check(by, DEAL_PARTS, "--by")
    tests = {"deals": "true", "won": "won = 1", "lost": "lost = 1", "closed": "won = 1 or lost = 1"}
    wanted = read_cell(cell, list(tests))
    with session.query() as query:
        _make_deals(session, query, by, scope or Scope())
        return behind(query, wanted, tests[wanted.column], order="opportunity_id")


def _make_deals(session: Session, query: Query, by: str, scope: Scope) -> None:
    params: dict[str, Any] = {"by": by, "since": scope.since, "until": scope.until, "zone": str(session.zone)}
    params |= {"valid_at": scope.valid_at or NEVER, "undated": scope.valid_at is None}
    query.run(f"create or replace temp table fact as {query.statement('insight', 'winrate')}", params)


def last_whole_day(session: Session, scope: Scope) -> date:
    """The last day, in the workspace's zone, of which the whole has been seen."""
    after = (observed(session, scope) + timedelta(microseconds=1)).replace(tzinfo=UTC).astimezone(session.zone)
    return after.date() - timedelta(days=1)
