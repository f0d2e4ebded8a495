"""What goes on: leads that sleep, the trend of each week, and sessions on the web site."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import UserError
from sfactl.insight.model import PARTS, Scope
from sfactl.insight.sheet import ALL, Sheet, rated, read_cell, sheet_table
from sfactl.insight.usecases.conversion import behind, last_whole_day
from sfactl.insight.usecases.journeys import check, journeys, observed

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

SLEEPER_PARTS = ("owner", "stage", *(p for p in PARTS if p != "owner"))
TREND_STEPS = ("day", "week", "month", "quarter")
TRENDS = ("leads", "mql", "sql", "opportunity", "quote", "order", "won")
MOST_PERIODS = 1_000


def sleeping(session: Session, *, by: str = "owner", days: int = 30, scope: Scope | None = None) -> Sheet:
    """Open leads with which nothing has happened for ``days``, by age: 1 to 2, 2 to 3, 3 to 6 times that, and longer.

    ``never`` are those of them that nothing ever happened with; their age counts from the first contact.
    """
    with journeys(session, by=check(by, SLEEPER_PARTS, "--by"), scope=scope) as (query, _):
        return read_sleeping(session, query, by, days, scope or Scope())


def read_sleeping(session: Session, query: Query, by: str, days: int, scope: Scope) -> Sheet:
    """`sleeping` of the table ``journey``, whose parts are by ``by``."""
    import pyarrow as pa

    tests = _ages(days)
    _make_idle(session, query, by, scope)
    counts = ", ".join(f'cast(count(*) filter (where {test}) as bigint) as "{n}"' for n, test in tests.items())
    answer = query.table(f"select part, {counts} from fact group by part order by part").to_pylist()
    answer.sort(key=lambda row: (-row["sleeping"], row["part"]))
    table = sheet_table(
        ({**r, by: r["part"]} for r in answer),
        {by: pa.string(), **dict.fromkeys(tests, pa.int64())},
        query.seq,
        hits="sleeping",
        of="open",
    )
    total = {by: ALL, **{n: sum(r[n] for r in answer) for n in tests}}
    return Sheet(
        title=f"Open leads with which nothing happened for {days} days or longer, by {by}",
        table=table,
        seq=query.seq,
        total=rated(total, "sleeping", "open"),
        notes=("ages are days since the last touch, since the first contact where there was none (never)",),
    )


def sleeping_drill(
    session: Session, cell: str, *, by: str = "owner", days: int = 30, scope: Scope | None = None
) -> pa.Table:
    """The leads behind PART/open, PART/sleeping, PART/never or an age such as PART/30-59."""
    tests = _ages(days)
    wanted = read_cell(cell, list(tests))
    with journeys(session, by=check(by, SLEEPER_PARTS, "--by"), scope=scope) as (query, _):
        _make_idle(session, query, by, scope or Scope())
        return behind(query, wanted, tests[wanted.column], order="idle_days desc, lead_id")


def _ages(days: int) -> dict[str, str]:
    if days < 1:
        raise UserError(f"--days: {days} is less than a day")
    bounds = [days, 2 * days, 3 * days, 6 * days]
    tests = {"open": "true", "sleeping": f"idle_days >= {days}"}
    for low, high in pairwise(bounds):
        tests[f"{low}-{high - 1}"] = f"idle_days >= {low} and idle_days < {high}"
    return {**tests, f"{bounds[-1]}+": f"idle_days >= {bounds[-1]}", "never": f"idle_days >= {days} and never = 1"}


def _make_idle(session: Session, query: Query, by: str, scope: Scope) -> None:
    params = {"seen_at": observed(session, scope), "by": by, "valid": scope.valid_at is not None}
    query.run(f"create or replace temp table fact as {query.statement('insight', 'sleeping')}", params)


def trend(session: Session, *, by: str = "week", scope: Scope | None = None) -> Sheet:
    """How many leads came to each stage for the first time, period by period, none left out.

    Weeks are those of ISO 8601 and begin on Monday. ``partial`` marks periods of which a part is outside what was seen
    or asked for.
    """
    check(by, TREND_STEPS, "--by")
    scope = scope or Scope()
    with journeys(session, scope=Scope(valid_at=scope.valid_at)) as (query, known):
        _make_trend(session, query, by, scope)
        counts = ", ".join(f"cast(count(*) filter (where what = '{w}') as bigint) as \"{w}\"" for w in TRENDS)
        found = {r["begins_on"]: r for r in query.table(f"select begins_on, {counts} from fact group by 1").to_pylist()}
        (undated,) = query.rows("select count(*) from journey where won = 1 and won_at is null")[0]
    import pyarrow as pa

    seen_on = last_whole_day(session, scope)
    rows = []
    nothing = dict.fromkeys(TRENDS, 0)
    for begins_on in _periods(by, found, scope, seen_on):
        last = _next(by, begins_on) - timedelta(days=1)
        partial = last > min(seen_on, scope.until or seen_on) or bool(scope.since and begins_on < scope.since)
        row = found.get(begins_on, nothing)
        rows.append(
            {by: _label(by, begins_on), "begins_on": begins_on, **{w: row[w] for w in TRENDS}, "partial": partial}
        )
    columns = {by: pa.string(), "begins_on": pa.date32(), **dict.fromkeys(TRENDS, pa.int64()), "partial": pa.bool_()}
    return Sheet(
        title=f"Leads that came to each stage for the first time, by {by}",
        table=sheet_table(rows, columns, known.seq),
        seq=known.seq,
        total={by: ALL, "begins_on": "", **{w: sum(r[w] for r in rows) for w in TRENDS}, "partial": ""},
        warnings=(f"{undated:,} leads came to won on an unknown day: in no {by}",) if undated else (),
        notes=(f"seen up to {seen_on}; of a partial period not all days are in",),
    )


def trend_drill(session: Session, cell: str, *, by: str = "week", scope: Scope | None = None) -> pa.Table:
    """The leads behind PERIOD/STAGE."""
    check(by, TREND_STEPS, "--by")
    wanted = read_cell(cell, TRENDS)
    scope = scope or Scope()
    with journeys(session, scope=Scope(valid_at=scope.valid_at)) as (query, _):
        _make_trend(session, query, by, scope)
        days = [r[0] for r in query.rows("select distinct begins_on from fact")]
        chosen = [d for d in days if wanted.whole or _label(by, d) == wanted.row]
        query.run(
            "create or replace temp table chosen as select unnest(cast($days as date[])) as begins_on", {"days": chosen}
        )
        return query.table(
            "select f.* from fact f join chosen c on c.begins_on = f.begins_on where f.what = $what"
            " order by f.day, f.lead_id",
            {"what": wanted.column},
        )


def _make_trend(session: Session, query: Query, by: str, scope: Scope) -> None:
    params: dict[str, Any] = {"by": by, "since": scope.since, "until": scope.until, "zone": str(session.zone)}
    query.run(f"create or replace temp table fact as {query.statement('insight', 'trend')}", params)


def _periods(by: str, found: dict[date, Any], scope: Scope, seen_on: date) -> list[date]:
    if not found:
        return []
    at, last = min(found), max(*found, min(seen_on, scope.until or seen_on))
    periods = []
    while at <= last:
        periods.append(at)
        at = _next(by, at)
    if len(periods) > MOST_PERIODS:
        raise UserError(
            f"--by {by}: {len(periods):,} periods are too many", hint="Ask for a part with --from and --to."
        )
    return periods


def _next(by: str, day: date) -> date:
    if by in ("day", "week"):
        return day + timedelta(days=7 if by == "week" else 1)
    month = day.month - 1 + (3 if by == "quarter" else 1)
    return date(day.year + month // 12, month % 12 + 1, 1)


def _label(by: str, day: date) -> str:
    if by == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02}"
    if by == "quarter":
        return f"{day.year}-Q{(day.month + 2) // 3}"
    return f"{day:%Y-%m}" if by == "month" else day.isoformat()


def content(session: Session, *, worst_first: bool = False, scope: Scope | None = None) -> Sheet:
    """Bounce rate by the content on which sessions began: sessions with exactly one pageview ÷ sessions.

    The most visited come first, or with ``worst_first`` those whose bounce rate is surely high: by its lower bound.
    """
    with session.query() as query:
        _make_sessions(session, query, scope or Scope())
        answer = query.table(
            "select part as content, cast(count(*) as bigint) as sessions, cast(sum(bounced) as bigint) as bounced,"
            " cast(sum(pageviews) as bigint) as pageviews from fact group by part order by 2 desc, 1"
        ).to_pylist()
        seq = query.seq
    import pyarrow as pa

    if worst_first:
        answer.sort(key=lambda r: (-(rated(r, "bounced", "sessions")["low"] or 0), r["content"]))
    keys = ("sessions", "bounced", "pageviews")
    total = {"content": ALL, **{k: sum(r[k] for r in answer) for k in keys}}
    return Sheet(
        title="Sessions by the content they began with, and how many saw nothing else",
        table=sheet_table(
            answer, {"content": pa.string(), **dict.fromkeys(keys, pa.int64())}, seq, hits="bounced", of="sessions"
        ),
        seq=seq,
        total=rated(total, "bounced", "sessions"),
        notes=("rate is the bounce rate; visits without a session are in none",),
    )


def content_drill(session: Session, cell: str, *, scope: Scope | None = None) -> pa.Table:
    """The sessions behind CONTENT/sessions or CONTENT/bounced; the pageviews of CONTENT/pageviews are a column."""
    tests = {"sessions": "true", "bounced": "bounced = 1", "pageviews": "true"}
    wanted = read_cell(cell, list(tests))
    with session.query() as query:
        _make_sessions(session, query, scope or Scope())
        return behind(query, wanted, tests[wanted.column], order="begun_at, session_id")


def _make_sessions(session: Session, query: Query, scope: Scope) -> None:
    params: dict[str, Any] = {"since": scope.since, "until": scope.until, "zone": str(session.zone)}
    params["seen_at"] = observed(session, scope)
    query.run(f"create or replace temp table fact as {query.statement('insight', 'sessions')}", params)
