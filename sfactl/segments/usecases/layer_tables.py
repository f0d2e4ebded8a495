"""Compute a layer as of a time: one temporary table with a row for each customer, whatever the kind of layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import ConfigError
from sfactl.api.rfm import Ranking
from sfactl.engine.conditions.source import nearest
from sfactl.engine.periods import parse_period
from sfactl.segments import bgnbd
from sfactl.segments.layer_files import SETTINGS, settings_of
from sfactl.segments.layers import PERIODS, Fitted, Layer, LifecycleRules, PreferenceRules
from sfactl.segments.value_classes import class_names, classed, method_text

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

SQL = "segments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """What is known of a table that was computed: the value's name and unit, the method, the classes in order."""

    table: str
    value_name: str
    method: str
    unit: str = ""
    classes: tuple[str, ...] = ()
    fitted: Fitted | None = None
    left_out: dict[str, int] = field(default_factory=dict)


def compute(session: Session, query: Query, layer: Layer, at: datetime, table: str) -> Computed:
    """Make the temporary table ``table``: lead_id, class, code, value, the classes of the axes, last_at, days, orders.

    Kinds add columns of their own. Nothing later than ``at`` is seen.
    """
    settings: object = settings_of(layer, SETTINGS[layer.kind])
    if isinstance(settings, Ranking):
        return _ranked(query, layer, settings, at, table)
    if isinstance(settings, LifecycleRules):
        return _lifecycle(query, settings, at, table)
    return _preference(session, query, settings_of(layer, PreferenceRules), at, table)


def _ranked(query: Query, layer: Layer, ranking: Ranking, at: datetime, table: str) -> Computed:
    sql, params = classed(ranking, layer.classes)
    query.run(f"create or replace temp table {table} as {sql}", {**params, "now": at})
    units = query.rows(f"select distinct currency from {table} where currency is not null order by all limit 2")
    unit = "touchpoints" if ranking.third == "activity" else units[0][0] if len(units) == 1 else ""
    return Computed(
        table=table,
        value_name=ranking.third,
        unit=unit,
        method=method_text(ranking),
        classes=class_names(layer.classes),
        left_out=_without_customer(query, at),
    )


def _without_customer(query: Query, at: datetime) -> dict[str, int]:
    sql = 'select count(*) from orders where lead_id is null and "at" <= $now'
    found = query.one(sql, {"now": at})
    return {"orders without a lead": found[0]} if found and found[0] else {}


def _lifecycle(query: Query, rules: LifecycleRules, at: datetime, table: str) -> Computed:
    import pyarrow as pa

    query.register("left_out", pa.table({"state": pa.array(rules.leave_out, pa.string())}))
    window = parse_period(rules.window)
    bounds: dict[str, Any] = {
        "now": at,
        "window_from": window.before(at),
        "before_from": window.before(window.before(at)),
        "young_from": parse_period(rules.young).before(at),
        "silent_from": parse_period(rules.silent).before(at),
        "alive_below": rules.alive_below,
        "currency": rules.currency,
    }
    amounts = rules.measure == "amount"
    buyers = query.statement(SQL, "lifecycle").format(
        measure="amount" if amounts else "1", measured="currency = $currency" if amounts else "true"
    )
    query.run(f"create or replace temp table buyers as {buyers}", bounds)
    fitted = fitted_on(query, rules)
    alive = bgnbd.p_alive("x", "last_days", "age_days") if fitted.method == "bg/nbd" else "cast(null as double)"
    periods = query.statement(SQL, "lifecycle_periods").format(alive=alive)
    query.run(f"create or replace temp table {table} as {periods}", {**bounds, **fitted.parameters})
    return Computed(
        table=table,
        value_name="p_alive",
        method=_lifecycle_method(rules, fitted),
        classes=PERIODS,
        fitted=fitted,
        left_out=_without_customer(query, at),
    )


def _lifecycle_method(rules: LifecycleRules, fitted: Fitted) -> str:
    silent = f"no order for {rules.silent}"
    decline = f"P(alive) below {rules.alive_below:g}, or one order only and {silent}"
    return (
        f"decline: {decline if fitted.method == 'bg/nbd' else silent} · acquisition: first order within {rules.young}"
        f" · growth: more {rules.measure} in {rules.window} than in those before · maturity: the rest"
    )


def fitted_on(query: Query, rules: LifecycleRules) -> Fitted:
    """The BG/NBD estimates for the table ``buyers``, or why the rule of silence stands in."""
    import numpy as np

    counts = query.table(query.statement(SQL, "lifecycle_counts"))
    columns = [
        np.asarray(counts.column(name).to_numpy(zero_copy_only=False), dtype=np.float64)
        for name in ("x", "last_days", "age_days", "customers")
    ]
    x, last, age, customers = columns
    total, repeaters = int(customers.sum()), int(customers[x > 0].sum())
    moments = query.one("select min(first_at), max(last_at) from buyers") or (None, None)
    note, found = "", None
    if total < rules.min_customers:
        note = f"{total:,} customers, fewer than min_customers = {rules.min_customers:,}"
    elif repeaters < rules.min_repeaters:
        note = f"{repeaters:,} customers bought again, fewer than min_repeaters = {rules.min_repeaters:,}"
    else:
        found = bgnbd.fit(x, last / bgnbd.WEEK, age / bgnbd.WEEK, customers)
        note = "" if found else "the likelihood of BG/NBD has no maximum on these orders"
    return Fitted(
        method="bg/nbd" if found else "rule",
        customers=total,
        repeaters=repeaters,
        first_at=moments[0],
        last_at=moments[1],
        parameters={name: getattr(found, name) for name in bgnbd.NAMES} if found else {},
        log_likelihood=found.log_likelihood if found else None,
        note=note,
    )


def _preference(session: Session, query: Query, rules: PreferenceRules, at: datetime, table: str) -> Computed:
    import pyarrow as pa

    query.register("left_out", pa.table({"state": pa.array(rules.leave_out, pa.string())}))
    query.register("kept_kinds", pa.table({"kind": pa.array(rules.kinds, pa.string())}))
    params: dict[str, Any] = {
        "now": at,
        "currency": rules.currency,
        "min_rows": rules.min_rows,
        "least": round(rules.min_share * 1_000_000),
        "days": rules.days,
    }
    fading = "1.0"
    if rules.half_life:
        params["half_life_s"] = parse_period(rules.half_life).fixed_days * 86_400
        fading = "power(0.5, date_diff('second', \"at\", $now) / cast($half_life_s as double))"
    rows = query.statement(SQL, "preference_rows").format(
        source=_seen(session, rules),
        fading=fading,
        since=" and date_diff('day', cast(\"at\" as date), cast($now as date)) <= $days" if rules.days else "",
    )
    query.run(f"create or replace temp table seen_categories as {rows}", params)
    query.run(f"create or replace temp table shares as {query.statement(SQL, 'preference_shares')}", params)
    query.run(f"create or replace temp table {table} as {query.statement(SQL, 'preference_best')}", params)
    counted = query.one(
        "select coalesce(cast(sum(rows) filter (where category is null) as bigint), 0), count(distinct lead_id)"
        " from seen_categories"
    ) or (0, 0)
    preferring = query.one(f"select count(*) from {table}") or (0,)
    least = f", or without a share of {rules.min_share:g}" if rules.min_share else ""
    left_out = {
        f"{'order lines' if rules.source == 'orders' else 'touchpoints'} without {rules.by}": counted[0],
        f"customers with fewer than {rules.min_rows} rows{least}": counted[1] - preferring[0],
    }
    fade = f", halved every {rules.half_life}" if rules.half_life else ""
    return Computed(
        table=table,
        value_name="share",
        method=f"share of {rules.measure} by {rules.by} of {rules.source}{fade}; at least {rules.min_rows} rows",
        left_out={what: n for what, n in left_out.items() if n},
    )


def _seen(session: Session, rules: PreferenceRules) -> str:
    """SELECT of what customers bought or looked at: lead_id, at, category, weight, and 1 where it counts as a row.

    What was returned counts as none, and is taken off quantities and amounts.
    """
    if rules.source == "touchpoints":
        _check_field(session, rules.by, ("touchpoints",))
        kinds = " where t.kind in (select kind from kept_kinds)" if rules.kinds else ""
        category = _category(f't."{rules.by}"')
        return (
            f'select t.lead_id, t."at", {category} as category, 1 as weight, 1 as counted from touchpoints as t{kinds}'
        )
    place = _check_field(session, rules.by, ("products", "order_lines"))
    weight = {
        "rows": "case when coalesce(l.quantity, 1) > 0 then 1 else 0 end",
        "quantity": "l.quantity",
        "amount": "case when o.currency = $currency then l.amount else 0 end",
    }
    category = _category(f'{"p" if place == "products" else "l"}."{rules.by}"')
    return (
        f'select o.lead_id, o."at", {category} as category, {weight[rules.measure]} as weight,'
        f" {weight['rows']} as counted from order_lines as l join orders as o on o.order_id = l.order_id"
        " left join products as p on p.sku = l.sku"
        " where coalesce(o.status, '') not in (select state from left_out)"
    )


def _category(column: str) -> str:
    return f"nullif(trim({column}), '')"


def _check_field(session: Session, name: str, datasets: tuple[str, ...]) -> str:
    """The dataset of ``datasets`` that has the text field ``name``. Raises `ConfigError` with the nearest name."""
    texts: list[str] = []
    for dataset in datasets:
        columns = [column for column, kind in session.workspace.schemas[dataset].types.items() if kind == "varchar"]
        if name in columns:
            return dataset
        texts += columns
    raise ConfigError(
        f"settings.by: {' and '.join(datasets)} have no text field {name!r}.{nearest(name, texts)}",
        hint=f"Text fields: {', '.join(dict.fromkeys(texts))}",
    )
