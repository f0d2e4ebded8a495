"""Where the next money for leads would bring most, as far as past costs and results can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import UserError
from sfactl.engine.money import round_money
from sfactl.insight.budget import LEAST_PERIODS, Curve, allocate, fit
from sfactl.insight.model import OUTCOMES, Scope
from sfactl.insight.sheet import ALL, Sheet, sheet_table
from sfactl.insight.usecases.conversion import last_whole_day, make_fact
from sfactl.insight.usecases.journeys import check, journeys
from sfactl.insight.usecases.spending import COST_PARTS, make_money, missing_rates

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

PERIODS = {"week": "7 days", "month": "1 month", "quarter": "3 months"}
LEADS = "leads"


def budget(
    session: Session,
    total: Decimal | None = None,
    *,
    by: str = "channel",
    to: str = LEADS,
    every: str = "month",
    scope: Scope | None = None,
) -> Sheet:
    """How ``total`` of one period (default: the mean of the past ones) is best shared out among channels.

    One row is a channel with costs: its mean spend and results, what one more unit of money brings there, and the
    proposed spend with the results it promises. Results are leads first met in the period, or those of them that came
    to ``to``. It is no experiment: that results followed the money does not prove that they came of it.
    """
    _check(total, by, every, to)
    scope = scope or Scope()
    with journeys(session, by=by, scope=scope) as (query, known):
        currency = make_money(session, query, by, scope)
        make_fact(session, query, "won" if to == LEADS else to)
        if to == LEADS:
            query.run("update fact set hit = 1")
        past = _past(session, query, every, scope)
        missing = tuple(w for w in missing_rates(query, currency) if w.startswith("costs"))
    curves = {name: c for name, (spends, got) in past.items() if (c := fit(spends, got)) is not None}
    count = max((len(spends) for spends, _ in past.values()), default=0)
    mean = sum(sum(spends) for spends, _ in past.values()) / count if count else 0.0
    wanted = float(total) if total is not None else mean
    shares = allocate(curves, wanted)
    filled = [_row(name, *past[name], curves.get(name), shares.get(name), currency, count) for name in past]
    import pyarrow as pa

    money = pa.decimal128(18, 4)
    columns: dict[str, pa.DataType] = {by: pa.string(), "periods": pa.int64(), "currency": pa.string()}
    columns |= {"spent": money, "results": pa.float64(), "next_costs": money, "proposed": money}
    columns |= {"expected": pa.float64(), "note": pa.string()}
    return Sheet(
        title=f"How a budget of {round_money(Decimal(wanted), currency):,} {currency} a {every} brings most {to}",
        table=sheet_table(({**r, by: r["part"]} for r in filled), columns, known.seq),
        seq=known.seq,
        total=_total(filled, by, currency) if filled else None,
        warnings=(*missing, *_left_over(wanted, shares, currency)),
        notes=(
            f"spent and results are the mean of a {every}; next costs is what one more of the results costs there now",
            "results that followed the money need not have come of it: move in steps, and hold some back to compare",
        ),
    )


def _check(total: Decimal | None, by: str, every: str, to: str) -> None:
    check(by, COST_PARTS, "--by")
    check(every, PERIODS, "--every")
    check(to, (LEADS, *OUTCOMES), "--result")
    if total is not None and total <= 0:
        raise UserError(f"--total: {total} is not an amount to share out")


def _past(
    session: Session, query: Query, every: str, scope: Scope
) -> dict[str, tuple[tuple[float, ...], tuple[float, ...]]]:
    """Spends and results of the periods of each part, in order."""
    statement = query.statement("insight", "spend_periods").replace("{step}", PERIODS[every])
    params = {"every": every, "since": scope.since, "until": scope.until, "seen_on": last_whole_day(session, scope)}
    found: dict[str, list[tuple[float, float]]] = {}
    for part, _, cost, results in query.rows(statement, params):
        found.setdefault(part, []).append((float(cost), float(results)))
    return {
        part: (tuple(cost for cost, _ in pairs), tuple(results for _, results in pairs))
        for part, pairs in found.items()
    }


def _row(
    part: str,
    spends: tuple[float, ...],
    results: tuple[float, ...],
    curve: Curve | None,
    share: float | None,
    currency: str,
    count: int,
) -> dict[str, Any]:
    import numpy as np

    spent = sum(spends) / count
    row: dict[str, Any] = {
        "part": part,
        "periods": len(spends),
        "currency": currency,
        "spent": round_money(Decimal(spent), currency),
        "results": sum(results) / count,
        "note": "",
    }
    if curve is None or share is None:
        return {**row, "note": f"fewer than {LEAST_PERIODS} periods: nothing to learn from"}
    more = curve.marginal(spent)
    held = " held at 1.5 × the most ever spent" if share >= curve.most * 0.999 else ""
    return {
        **row,
        "next_costs": round_money(Decimal(1 / more), currency) if more > 0 else None,
        "proposed": round_money(Decimal(share), currency),
        "expected": float(curve.results(np.array([share]))[0]),
        "note": f"{'straight line' if curve.scale is None else 'flattens'}{held}",
    }


def _total(rows: Iterable[Mapping[str, Any]], by: str, currency: str) -> dict[str, Any]:
    found = list(rows)
    sums = {key: sum(r.get(key) or 0 for r in found) for key in ("spent", "results", "proposed", "expected")}
    return {by: ALL, "periods": None, "currency": currency, "next_costs": None, "note": "", **sums}


def _left_over(total: float, shares: Mapping[str, float], currency: str) -> tuple[str, ...]:
    left = round_money(Decimal(total - sum(shares.values())), currency)
    if not shares or left <= round_money(Decimal(total) / 1000, currency):
        return ()
    return (f"{left:,} {currency} are left over: no channel was ever tried with so much",)
