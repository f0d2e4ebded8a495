"""Which touches brought the conversions, by seven models whose credits each add up to all conversions."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import UserError
from sfactl.engine.money import minor_digits
from sfactl.engine.periods import parse_period
from sfactl.insight.attribution import MODELS, NO_TOUCH, Removal, as_steps, removal_effects, share_out
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
HALF_LIFE = "7 days"

Totals = dict[tuple[str, str], dict[str, int]]
"""Credit in units by (name, currency) and model."""


def attribution(
    session: Session,
    *,
    model: str = "all",
    by: str = "channel",
    to: str = "won",
    value: str = "count",
    window: str = "",
    half_life: str = HALF_LIFE,
    kinds: str = "",
    scope: Scope | None = None,
) -> Sheet:
    """The credit of each channel for the leads that came to the outcome, or for the value of their deals.

    Counts are in thousand-millionths of a conversion and money in minor units, so that each model's credits add up to
    the total exactly; what no touch came before is credited to `NO_TOUCH`. Raises `UserError`.
    """
    _check(model, by, to, value)
    with journeys(session, scope=scope) as (query, known):
        _prepare(session, query, by=by, to=to, value=value, window=window, kinds=kinds, scope=scope or Scope())
        totals = _totals(query, model, half_life)
        facts = _facts(query)
    models = MODELS if model == "all" else (model,)
    filled = [
        {by: name, "currency": currency, **{m: _shown(given.get(m, 0), currency, value) for m in models}}
        for (name, currency), given in sorted(totals.items(), key=lambda t: (t[0][1], t[0][0] == NO_TOUCH, t[0][0]))
    ]
    return _sheet(filled, models, by=by, to=to, value=value, seq=known.seq, facts=facts)


def attribution_drill(
    session: Session,
    cell: str,
    *,
    by: str = "channel",
    to: str = "won",
    value: str = "count",
    window: str = "",
    half_life: str = HALF_LIFE,
    kinds: str = "",
    scope: Scope | None = None,
) -> pa.Table:
    """What adds up to NAME/MODEL: one row a lead, or for the Markov chain one row a name with its removal effect."""
    wanted = read_cell(cell, MODELS)
    _check(wanted.column, by, to, value)
    with journeys(session, scope=scope) as (query, known):
        _prepare(session, query, by=by, to=to, value=value, window=window, kinds=kinds, scope=scope or Scope())
        if wanted.column == "markov":
            return _markov_rows(query, wanted, by=by, value=value, seq=known.seq)
        _credit(query, wanted.column, half_life)
        check_row(wanted, (r[0] for r in query.rows("select distinct name from credit")))
        found = query.table(
            "select c.lead_id, f.full_name, f.company, f.source, f.lead_on, f.outcome_at, c.name, c.touches,"
            " c.currency, c.units from credit c join fact f on f.lead_id = c.lead_id"
            " where $row = 'all' or c.name = $row order by c.lead_id, c.name, c.currency",
            {"row": wanted.row},
        ).to_pylist()
    return _with_credit(found, value, known.seq)


def _with_credit(found: list[dict[str, Any]], value: str, seq: int) -> pa.Table:
    import pyarrow as pa

    for row in found:
        row["credit"] = _shown(row.pop("units"), row["currency"], value)
    columns: dict[str, pa.DataType] = {"lead_id": pa.int64(), "full_name": pa.string(), "company": pa.string()}
    columns |= {"source": pa.string(), "lead_on": pa.date32(), "outcome_at": pa.timestamp("us"), "name": pa.string()}
    columns |= {"touches": pa.int64(), "currency": pa.string(), "credit": pa.decimal128(24, COUNT_DIGITS)}
    return sheet_table(found, columns, seq)


def _check(model: str, by: str, to: str, value: str) -> None:
    check(model, (*MODELS, "all"), "--model")
    check(by, TOUCH_PARTS, "--by")
    check(value, VALUES, "--value")
    if value == "amount" and to not in ("won", "opportunity"):
        raise UserError(f"--value amount: leads that came to {to!r} have no amount", hint="Add --to won.")


def _prepare(
    session: Session, query: Query, *, by: str, to: str, value: str, window: str, kinds: str, scope: Scope
) -> None:
    """Make the tables ``fact``, ``path`` (touches before the outcome) and ``units`` (what is shared out)."""
    make_fact(session, query, to)
    window_s = int(parse_period(window).fixed_days * 86_400) if window else None
    moments = {"valid_at": scope.valid_at or NEVER, "undated": scope.valid_at is None}
    given = "".join(f",{k.strip()}" for k in kinds.split(",") if k.strip())
    query.run(
        f"create temp table path as {query.statement('insight', 'path')}",
        {"by": by, "kinds": f"{given}," if given else "", "window_s": window_s, **moments},
    )
    found = query.rows("select distinct currency from opportunities where currency is not null")
    factors = ", ".join(f"('{c}', {10 ** minor_digits(c)})" for (c,) in found) or "('', 100)"
    query.run(f"create temp table minor as select * from (values {factors}) as m(currency, factor)")
    query.run(
        f"create temp table units as {query.statement('insight', 'conversion_units')}",
        {"value": value, "outcome": to, **moments},
    )


def _credit(query: Query, model: str, half_life: str) -> None:
    half_life_s = parse_period(half_life).fixed_days * 86_400
    if half_life_s <= 0:
        raise UserError(f"--half-life: {half_life!r} is no time at all")
    query.run(
        f"create temp table credit as {query.statement('insight', 'credit')}",
        {"model": model, "half_life_s": half_life_s},
    )


def _totals(query: Query, model: str, half_life: str) -> Totals:
    totals: Totals = {}
    if model != "markov":
        _credit(query, model, half_life)
        grouped = query.rows(
            "select name, currency, model, cast(sum(units) as bigint) from credit group by name, currency, model"
        )
        for name, currency, by_model, units in grouped:
            totals.setdefault((name, currency), {})[by_model] = units
    if model in ("markov", "all"):
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
    filled: list[dict[str, Any]],
    models: tuple[str, ...],
    *,
    by: str,
    to: str,
    value: str,
    seq: int,
    facts: dict[str, int],
) -> Sheet:
    import pyarrow as pa

    currencies = sorted({row["currency"] for row in filled})
    columns: dict[str, pa.DataType] = {by: pa.string()}
    if value == "amount":
        columns["currency"] = pa.string()
    columns |= dict.fromkeys(models, pa.decimal128(24, COUNT_DIGITS))
    total = None
    if len(currencies) == 1:
        total = {by: ALL, "currency": currencies[0], **{m: sum(row[m] for row in filled) for m in models}}
    what = "the value of leads" if value == "amount" else "leads"
    said = [f"{facts['touches']:,} touches of {facts['leads']:,} leads, {facts['conversions']:,} of which came to {to}"]
    strangers = facts["strangers"]
    return Sheet(
        title=f"Credit for {what} that came to {to}, by {by}",
        table=sheet_table(filled, columns, seq),
        seq=seq,
        total=total,
        notes=tuple(said),
        warnings=(f"{strangers:,} touches belong to no lead and are not counted",) if strangers else (),
    )
