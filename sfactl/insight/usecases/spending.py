"""What leads and customers cost and brought in, by channel and event, and who referred them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sfactl.engine.exchange import factors
from sfactl.engine.money import minor_digits, round_money
from sfactl.insight.model import Scope
from sfactl.insight.sheet import ALL, Sheet, rated, read_cell, sheet_table
from sfactl.insight.usecases.conversion import behind, last_whole_day
from sfactl.insight.usecases.journeys import NEVER, check, journeys, rows

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

COST_PARTS = ("channel", "source", "campaign", "event")
"""What a cost can be for."""

MOST_NAMED = 5


def roi(session: Session, *, by: str = "channel", scope: Scope | None = None) -> Sheet:
    """Cost per lead (CPL) and per customer (CAC), and what the won deals of the leads brought in for it.

    Each cost is turned into the workspace's currency at the rate of its own day; a cost for several days is spread over
    them evenly. Where a rate is missing, the part has no CPL, CAC or return, and a warning names currency and days.
    """
    check(by, COST_PARTS, "--by")
    scope = scope or Scope()
    with journeys(session, by=by, scope=scope) as (query, known):
        currency = make_money(session, query, by, scope)
        answer = rows(query, "roi")
        missing = missing_rates(query, currency)
    import pyarrow as pa

    money = pa.decimal128(18, 4)
    columns: dict[str, pa.DataType] = {by: pa.string(), **dict.fromkeys(("leads", "sql", "customers"), pa.int64())}
    columns |= {"currency": pa.string(), **dict.fromkeys(("cost", "cpl", "cac", "revenue"), money)}
    columns["return_rate"] = pa.float64()
    filled = [_priced({**r, by: r["part"], "sql": r["sql_leads"]}, currency) for r in answer]
    keys = ("leads", "sql", "customers", "cost", "revenue", "costs_no_rate", "deals_no_rate")
    return Sheet(
        title=f"What leads cost and brought in, by {by}, in {currency}",
        table=sheet_table(filled, columns, known.seq),
        seq=known.seq,
        total=_priced({by: ALL, **{k: sum(r[k] for r in filled) for k in keys}}, currency) if filled else None,
        warnings=missing,
        notes=("cost ÷ leads is cpl, cost ÷ customers is cac, (revenue of won deals - cost) ÷ cost is the return",),
    )


def roi_drill(session: Session, cell: str, *, by: str = "channel", scope: Scope | None = None) -> pa.Table:
    """The leads, costs or deals behind PART/leads, /sql, /customers, /cost or /revenue."""
    check(by, COST_PARTS, "--by")
    tests = {"leads": "true", "sql": "reached >= 2", "customers": "won = 1", "cost": "true", "revenue": "true"}
    wanted = read_cell(cell, list(tests))
    scope = scope or Scope()
    with journeys(session, by=by, scope=scope) as (query, _):
        make_money(session, query, by, scope)
        table = {"cost": "spent", "revenue": "earned"}.get(wanted.column, "journey")
        query.run(f"create or replace temp table fact as select * from {table}")
        order = {"spent": "spent_on, cost_id", "earned": "opportunity_id"}.get(table, "lead_id")
        parts = "select part from journey union all select part from spent"
        return behind(query, wanted, tests[wanted.column], order=order, parts=parts)


def referral(session: Session, *, scope: Scope | None = None) -> Sheet:
    """Who referred leads, how many of them were won, and what their deals brought in; most won first."""
    scope = scope or Scope()
    with journeys(session, scope=scope) as (query, known):
        currency = make_money(session, query, "channel", scope)
        _make_referred(query)
        answer = query.table(
            "select f.part as referrer, min(f.kind) as kind, min(f.name) as name, cast(count(*) as bigint) as leads,"
            " cast(sum(case when f.reached >= 3 then 1 else 0 end) as bigint) as opportunities,"
            " cast(sum(f.won) as bigint) as won, cast(sum(coalesce(e.earned, 0)) as decimal(18, 4)) as revenue"
            " from fact f left join (select lead_id, sum(earned) as earned from earned group by lead_id) e"
            " on e.lead_id = f.lead_id group by f.part order by won desc, leads desc, referrer"
        ).to_pylist()
        missing = tuple(w for w in missing_rates(query, currency) if w.startswith("deals"))
    import pyarrow as pa

    for row in answer:
        row["currency"] = currency
    columns = {"referrer": pa.string(), "kind": pa.string(), "name": pa.string()}
    columns |= dict.fromkeys(("leads", "opportunities", "won"), pa.int64())
    columns |= {"currency": pa.string(), "revenue": pa.decimal128(18, 4)}
    sums: dict[str, Any] = {k: sum(r[k] for r in answer) for k in ("leads", "opportunities", "won", "revenue")}
    return Sheet(
        title="Who referred leads, and what came of them",
        table=sheet_table(answer, columns, known.seq, hits="won", of="leads"),
        seq=known.seq,
        total=rated({"referrer": ALL, "kind": "", "name": "", "currency": currency, **sums}, "won", "leads"),
        warnings=missing,
        notes=("unlinked: a name that belongs to no record of ours",),
    )


def referral_drill(session: Session, cell: str, *, scope: Scope | None = None) -> pa.Table:
    """The leads behind REFERRER/leads, /opportunities or /won."""
    tests = {"leads": "true", "opportunities": "reached >= 3", "won": "won = 1"}
    wanted = read_cell(cell, list(tests))
    with journeys(session, scope=scope) as (query, _):
        _make_referred(query)
        return behind(query, wanted, tests[wanted.column], order="lead_id")


def _make_referred(query: Query) -> None:
    query.run(f"create or replace temp table referred as {query.statement('insight', 'referral')}")
    query.run("create or replace temp table fact as select * exclude (part), referrer as part from referred")


def make_money(session: Session, query: Query, by: str, scope: Scope) -> str:
    """Make the tables ``spent`` and ``earned`` in the workspace's currency; the answer is that currency."""
    currency = session.settings.workspace.currency
    pairs = (
        "select currency, spent_on as day from costs union all"
        " select currency, cast(coalesce(closed_at, updated_at) as date) from opportunities where category = 'won'"
    )
    query.run(f"create or replace temp table factor as {factors(pairs, '$into')}", {"into": currency})
    digits = minor_digits(currency)
    params: dict[str, Any] = {"by": by, "since": scope.since, "until": scope.until, "digits": digits}
    params["seen_on"] = last_whole_day(session, scope) if scope.valid_at or session.as_of else NEVER.date()
    query.run(f"create or replace temp table spent as {query.statement('insight', 'spent')}", params)
    moments = {"valid_at": scope.valid_at or NEVER, "undated": scope.valid_at is None, "digits": digits}
    query.run(f"create or replace temp table earned as {query.statement('insight', 'earned')}", moments)
    return currency


def _priced(row: dict[str, Any], currency: str) -> dict[str, Any]:
    cost, whole = row["cost"], not row["costs_no_rate"]
    known = whole and not row["deals_no_rate"]
    return {
        **row,
        "currency": currency,
        "cpl": _each(cost, row["leads"], currency) if whole else None,
        "cac": _each(cost, row["customers"], currency) if whole else None,
        "return_rate": float((row["revenue"] - cost) / cost) if known and cost else None,
    }


def _each(amount: Decimal, count: int, currency: str) -> Decimal | None:
    return round_money(Decimal(amount) / count, currency) if count else None


def missing_rates(query: Query, currency: str) -> tuple[str, ...]:
    """What could not be turned into ``currency``, by currency, with the first days."""
    found = []
    for what, table, day, amount, value in (
        ("costs", "spent", "spent_on", "own_cost", "cost"),
        ("deals", "earned", "day", "amount", "earned"),
    ):
        answer = query.rows(
            f"select coalesce(currency, 'no currency'), cast(sum({amount}) as varchar), count(*), min({day}),"
            f" max({day}) from {table} where {value} is null and {amount} is not null group by 1 order by 1"
        )
        for own, total, count, first, last in answer[:MOST_NAMED]:
            days = f"{first}" if first == last else f"{first} to {last}"
            found.append(
                f"{what} of {total} {own} ({count:,} rows, {days}) have no rate to {currency} and are not in the sums"
            )
    return tuple(found)
