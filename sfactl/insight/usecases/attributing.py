"""Which touches brought the conversions, by seven models whose credits each add up to all conversions."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import UserError
from sfactl.engine.money import minor_digits
from sfactl.engine.periods import parse_period
from sfactl.insight.attribution import MODELS, NO_TOUCH, Question, Removal, as_steps, removal_effects, share_out
from sfactl.insight.model import Scope
from sfactl.insight.sheet import ALL, Cell, Sheet, check_row, read_cell, sheet_table
from sfactl.insight.usecases.conversion import make_fact
from sfactl.insight.usecases.journeys import NEVER, check, journeys, rows

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

TOUCH_PARTS = ("channel", "source", "campaign", "content")
"""What a touch can be named by; a lead's source where the touch tells none."""

VALUES = ("count", "amount")
COUNT_DIGITS = 9
DAY_S = 86_400

Totals = dict[tuple[str, str], dict[str, int]]
"""Credit in units by (name, currency) and model."""


def attribution(session: Session, asked: Question | None = None, *, scope: Scope | None = None) -> Sheet:
    """The credit of each channel for the leads that came to the outcome, or for the value of their deals.

    Counts are in thousand-millionths of a conversion and money in minor units, so that each model's credits add up to
    the total exactly; what no touch came before is credited to `NO_TOUCH`. Raises `UserError`.
    """
    asked = asked or Question()
    _check(asked)
    with journeys(session, scope=scope) as (query, _):
        return read_attribution(session, query, asked, scope or Scope())


def read_attribution(session: Session, query: Query, asked: Question, scope: Scope) -> Sheet:
    """`attribution` of the table ``journey``."""
    _prepare(session, query, asked, scope)
    totals = _totals(query, asked)
    models = MODELS if asked.model == "all" else (asked.model,)
    filled = [
        {asked.by: name, "currency": currency, **{m: _shown(given.get(m, 0), currency, asked.value) for m in models}}
        for (name, currency), given in sorted(totals.items(), key=lambda t: (t[0][1], t[0][0] == NO_TOUCH, t[0][0]))
    ]
    return _sheet(filled, models, asked, seq=query.seq, facts=_facts(query))


def attribution_drill(
    session: Session, cell: str, asked: Question | None = None, *, scope: Scope | None = None
) -> pa.Table:
    """What adds up to NAME/MODEL: one row a lead, or for the Markov chain one row a name with its removal effect."""
    wanted = read_cell(cell, MODELS)
    asked = replace(asked or Question(), model=wanted.column)
    _check(asked)
    with journeys(session, scope=scope) as (query, known):
        _prepare(session, query, asked, scope or Scope())
        if asked.model == "markov":
            return _markov_rows(query, wanted, by=asked.by, value=asked.value, seq=known.seq)
        _credit(query, asked)
        check_row(wanted, (r[0] for r in query.rows("select distinct name from credit")))
        found = query.table(
            "select c.lead_id, f.full_name, f.company, f.source, f.lead_on, f.outcome_at, c.name, c.touches,"
            " c.currency, c.units from credit c join fact f on f.lead_id = c.lead_id"
            " where $row = 'all' or c.name = $row order by c.lead_id, c.name, c.currency",
            {"row": wanted.row},
        ).to_pylist()
    return _with_credit(found, asked.value, known.seq)


def _with_credit(found: list[dict[str, Any]], value: str, seq: int) -> pa.Table:
    import pyarrow as pa

    for row in found:
        row["credit"] = _shown(row.pop("units"), row["currency"], value)
    columns: dict[str, pa.DataType] = {"lead_id": pa.int64(), "full_name": pa.string(), "company": pa.string()}
    columns |= {"source": pa.string(), "lead_on": pa.date32(), "outcome_at": pa.timestamp("us"), "name": pa.string()}
    columns |= {"touches": pa.int64(), "currency": pa.string(), "credit": pa.decimal128(24, COUNT_DIGITS)}
    return sheet_table(found, columns, seq)


def _check(asked: Question) -> None:
    check(asked.model, (*MODELS, "all"), "--model")
    check(asked.by, TOUCH_PARTS, "--by")
    check(asked.value, VALUES, "--value")
    if asked.value == "amount" and asked.to not in ("won", "opportunity"):
        raise UserError(f"--value amount: leads that came to {asked.to!r} have no amount", hint="Add --to won.")


def _prepare(session: Session, query: Query, asked: Question, scope: Scope) -> None:
    """Make the tables ``fact``, ``path`` (touches before the outcome) and ``units`` (what is shared out)."""
    make_fact(session, query, asked.to)
    window_s = int(parse_period(asked.window).fixed_days * DAY_S) if asked.window else None
    moments = {"valid_at": scope.valid_at or NEVER, "undated": scope.valid_at is None}
    kinds = "".join(f",{k.strip()}" for k in asked.kinds.split(",") if k.strip())
    query.run(
        f"create or replace temp table path as {query.statement('insight', 'path')}",
        {"by": asked.by, "kinds": f"{kinds}," if kinds else "", "window_s": window_s, **moments},
    )
    found = query.rows("select distinct currency from opportunities where currency is not null")
    factors = ", ".join(f"('{c}', {10 ** minor_digits(c)})" for (c,) in found) or "('', 100)"
    query.run(f"create or replace temp table minor as select * from (values {factors}) as m(currency, factor)")
    query.run(
        f"create or replace temp table units as {query.statement('insight', 'conversion_units')}",
        {"value": asked.value, "outcome": asked.to, **moments},
    )


def _credit(query: Query, asked: Question) -> None:
    half_life_s = parse_period(asked.half_life).fixed_days * DAY_S
    if half_life_s <= 0:
        raise UserError(f"--half-life: {asked.half_life!r} is no time at all")
    query.run(
        f"create or replace temp table credit as {query.statement('insight', 'credit')}",
        {"model": asked.model, "half_life_s": half_life_s},
    )


def _totals(query: Query, asked: Question) -> Totals:
    totals: Totals = {}
    if asked.model != "markov":
        _credit(query, asked)
        grouped = query.rows(
            "select name, currency, model, cast(sum(units) as bigint) from credit group by name, currency, model"
        )
        for name, currency, by_model, units in grouped:
            totals.setdefault((name, currency), {})[by_model] = units
    if asked.model in ("markov", "all"):
        for (name, currency), units in _markov(query)[1].items():
            totals.setdefault((name, currency), {})["markov"] = units
    return totals


def _markov(query: Query) -> tuple[tuple[Removal, ...], dict[tuple[str, str], int]]:
    """The removal effects, and all conversions shared out by them."""
    removals = removal_effects(as_steps(rows(query, "transition")))
    shares = {r.name: r.share for r in removals}
    credit: dict[tuple[str, str], int] = {}
    sums = query.rows(
        "select u.currency, cast(sum(case when p.lead_id is not null then u.units else 0 end) as bigint),"
        " cast(sum(case when p.lead_id is null then u.units else 0 end) as bigint)"
        " from units u left join (select distinct lead_id from path) p on p.lead_id = u.lead_id group by u.currency"
    )
    for currency, touched, untouched in sums:
        credit |= {(name, currency): units for name, units in share_out(touched, shares).items() if touched}
        if untouched:
            credit[NO_TOUCH, currency] = untouched
    return removals, credit


def _markov_rows(query: Query, cell: Cell, *, by: str, value: str, seq: int) -> pa.Table:
    """The removal effect behind the credit of a name; the credit is a share of the whole, not of single leads."""
    import pyarrow as pa

    removals, credit = _markov(query)
    check_row(cell, [name for name, _ in credit])
    effects = {r.name: r for r in removals}
    found = []
    for (name, currency), units in sorted(credit.items()):
        if cell.row in (ALL, name):
            effect = effects.get(name)
            row = {"reached": effect.reached, "converts": effect.converts, "effect": effect.effect} if effect else {}
            share = effect.share if effect else None
            found.append(
                {by: name, "currency": currency, **row, "share": share, "credit": _shown(units, currency, value)}
            )
    columns = {
        by: pa.string(),
        "currency": pa.string(),
        **dict.fromkeys(("reached", "converts", "effect"), pa.float64()),
    }
    columns |= {"share": pa.float64(), "credit": pa.decimal128(24, COUNT_DIGITS)}
    return sheet_table(found, columns, seq)


def _shown(units: int, currency: str, value: str) -> Decimal:
    digits = COUNT_DIGITS if value == "count" else minor_digits(currency) if currency else 2
    return Decimal(units).scaleb(-digits)


def _facts(query: Query) -> dict[str, int]:
    found = query.rows(
        "select (select count(*) from path), (select count(distinct lead_id) from path),"
        " (select count(*) from fact where hit = 1),"
        " (select count(*) from touchpoints t where not exists (select 1 from leads l where l.lead_id = t.lead_id))"
    )[0]
    return dict(zip(("touches", "leads", "conversions", "strangers"), map(int, found), strict=True))


def _sheet(
    filled: list[dict[str, Any]], models: tuple[str, ...], asked: Question, *, seq: int, facts: dict[str, int]
) -> Sheet:
    import pyarrow as pa

    currencies = sorted({row["currency"] for row in filled})
    columns: dict[str, pa.DataType] = {asked.by: pa.string()}
    if asked.value == "amount":
        columns["currency"] = pa.string()
    columns |= dict.fromkeys(models, pa.decimal128(24, COUNT_DIGITS))
    total = None
    if len(currencies) == 1:
        total = {asked.by: ALL, "currency": currencies[0], **{m: sum(row[m] for row in filled) for m in models}}
    what = "the value of leads" if asked.value == "amount" else "leads"
    touched = f"{facts['touches']:,} touches of {facts['leads']:,} leads"
    strangers = facts["strangers"]
    return Sheet(
        title=f"Credit for {what} that came to {asked.to}, by {asked.by}",
        table=sheet_table(filled, columns, seq),
        seq=seq,
        total=total,
        notes=(f"{touched}; {facts['conversions']:,} leads came to {asked.to}",),
        warnings=(f"{strangers:,} touches belong to no lead and are not counted",) if strangers else (),
    )
