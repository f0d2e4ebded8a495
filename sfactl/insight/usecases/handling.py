"""Who had a lead or a deal, how often it changed hands, and for how long: the stays of a case add up to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfactl.insight.model import Scope
from sfactl.insight.sheet import Sheet, read_cell, sheet_table
from sfactl.insight.usecases.conversion import behind
from sfactl.insight.usecases.journeys import check, journeys, observed

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

ENTITIES = ("lead", "opportunity")
NOBODY = "nobody"
VIEWS = ("handler", "transfers", "case")
DAY_US = 86_400_000_000


def handling(session: Session, *, entity: str = "lead", by: str = "handler", scope: Scope | None = None) -> Sheet:
    """Dwell by handler, cases and their outcome by number of transfers, or each case.

    A transfer is a change from one person to another; to be given out for the first time is none. A lead's case runs
    from first contact to conversion or drop, a deal's from its start to its close, both else to the moment seen.
    Raises `UserError`.
    """
    check(entity, ENTITIES, "--entity")
    check(by, VIEWS, "--by")
    scope = scope or Scope()
    with journeys(session, scope=scope) as (query, known):
        _make_stays(session, query, entity, scope)
        if by == "handler":
            return _by_handler(query, entity, known.seq)
        query.run(f"create or replace temp table handled_case as {query.statement('insight', 'handling')}")
        query.run(f"create or replace temp table good as {_GOOD[entity]}")
        return (_by_case if by == "case" else _by_transfers)(query, entity, known.seq)


_GOOD = {
    "lead": "select lead_id as case_id from journey where reached >= 3 or won = 1",
    "opportunity": "select opportunity_id as case_id from opportunities where category = 'won'",
}


def handling_drill(
    session: Session, cell: str, *, entity: str = "lead", by: str = "handler", scope: Scope | None = None
) -> pa.Table:
    """The stays behind HANDLER/stays; of ``by`` case the stays behind CASE/stays."""
    check(entity, ENTITIES, "--entity")
    check(by, ("handler", "case"), "--by")
    wanted = read_cell(cell, ("stays", "dwell_days", "cases"))
    with journeys(session, scope=scope) as (query, _):
        _make_stays(session, query, entity, scope or Scope())
        part = f"coalesce(handler, '{NOBODY}')" if by == "handler" else "cast(case_id as varchar)"
        query.run(f"create or replace temp table fact as select *, {part} as part, {_DAYS} as dwell_days from stay")
        return behind(query, wanted, "true", order="case_id, since_at, event_id")


_DAYS = f"date_diff('microsecond', since_at, until_at) / {DAY_US}.0"


def _make_stays(session: Session, query: Query, entity: str, scope: Scope) -> None:
    params: dict[str, Any] = {"entity": entity, "seen_at": observed(session, scope), "undated": scope.valid_at is None}
    query.run(f"create or replace temp table handled as {query.statement('insight', 'handling_leads')}", params)
    query.run(f"create or replace temp table stay as {query.statement('insight', 'stays')}")


def _by_handler(query: Query, entity: str, seq: int) -> Sheet:
    import pyarrow as pa

    found = query.table(
        f"select coalesce(handler, '{NOBODY}') as handler, cast(count(distinct case_id) as bigint) as cases,"
        f" cast(count(*) as bigint) as stays, sum({_DAYS}) as dwell_days, median({_DAYS}) as median_days,"
        f" max({_DAYS}) as longest_days from stay group by 1 order by 4 desc, 1"
    ).to_pylist()
    columns = {"handler": pa.string(), "cases": pa.int64(), "stays": pa.int64()}
    columns |= dict.fromkeys(("dwell_days", "median_days", "longest_days"), pa.float64())
    return Sheet(
        title=f"How long each handler had {_plural(entity)}",
        table=sheet_table(found, columns, seq),
        seq=seq,
        notes=("the days of all handlers add up to the days of all cases; nobody: waiting for an owner",),
    )


def _by_transfers(query: Query, entity: str, seq: int) -> Sheet:
    import pyarrow as pa

    good = "converted" if entity == "lead" else "won"
    found = query.table(
        f"select c.transfers, cast(count(*) as bigint) as cases, cast(count(g.case_id) as bigint) as {good},"
        f" avg(c.handlers) as mean_handlers, avg(c.dwell_us) / {DAY_US} as mean_days"
        " from handled_case c left join good g on g.case_id = c.case_id group by c.transfers order by c.transfers"
    ).to_pylist()
    columns = {"transfers": pa.int64(), "cases": pa.int64(), good: pa.int64()}
    columns |= {"mean_handlers": pa.float64(), "mean_days": pa.float64()}
    return Sheet(
        title=f"{_plural(entity).capitalize()} by how often they went from one person to another",
        table=sheet_table(found, columns, seq, hits=good, of="cases"),
        seq=seq,
        notes=(f"rate is the share that was {good}; to be given out for the first time is no transfer",),
    )


def _by_case(query: Query, entity: str, seq: int) -> Sheet:
    table = query.table(
        f"select case_id as {entity}, handlers, transfers, begun_at, ended_at,"
        f" cast(dwell_us as double) / {DAY_US} as dwell_days, cast({seq} as bigint) as commit"
        " from handled_case order by case_id"
    )
    return Sheet(title=f"Handlers and transfers of each {entity}", table=table, seq=seq)


def _plural(entity: str) -> str:
    return {"lead": "leads", "opportunity": "deals"}[entity]
