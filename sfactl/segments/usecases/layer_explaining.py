"""Say why one customer is in a class of a layer: the figures, how many are below, and the rule that decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import NotFound
from sfactl.api.rfm import Ranking
from sfactl.segments.layer_files import SETTINGS, settings_of
from sfactl.segments.layer_names import Kind
from sfactl.segments.layers import CustomerExplained, Layer, LifecycleRules, PreferenceRules, Reason
from sfactl.segments.usecases.layer_tables import Computed, compute
from sfactl.segments.usecases.layering import FRESH, LAYERS, moment, named
from sfactl.segments.value_classes import SHIPPED, rule_text
from sfactl.workspace.aliases import living

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

Row = Mapping[str, Any]


def explain(
    session: Session, kind: Kind, name: str | None, lead_id: int, *, valid_at: str | None = None
) -> CustomerExplained:
    """Compute the layer anew at ``--as-of`` and say how ``lead_id`` comes into its class, and what is stored.

    Raises `NotFound` for the lead or the layer.
    """
    layer, at = named(session, kind, name), moment(session, valid_at)
    with session.query() as query:
        lead_id = living(query, "lead", lead_id)
        lead = query.get("leads", lead_id)
        if lead is None:
            raise NotFound(f"there is no lead {lead_id}", hint="See: sfactl lead list")
        found = compute(session, query, layer, at, FRESH)
        rows = query.table(f"select * from {FRESH} where lead_id = $lead", {"lead": lead_id}).to_pylist()
        stored = query.get(LAYERS, layer.name, lead_id)
        reasons = tuple(_reasons(query, layer, found, rows[0] if rows else None, lead_id))
    return CustomerExplained(
        layer=layer.name,
        lead_id=lead_id,
        lead=" · ".join(str(lead[key]) for key in ("full_name", "company") if lead.get(key)),
        at=at,
        name=rows[0]["class"] if rows else None,
        reasons=reasons,
        stored=stored["class"] if stored else None,
        since=stored["since"] if stored else None,
    )


def _reasons(query: Query, layer: Layer, found: Computed, row: Row | None, lead_id: int) -> Iterator[Reason]:
    settings: object = settings_of(layer, SETTINGS[layer.kind])
    if isinstance(settings, PreferenceRules):
        yield from _preference(query, settings, lead_id)
    elif row is None:
        yield Reason(what="orders", answer="0", why="no order that counts: in no class")
    elif isinstance(settings, LifecycleRules):
        yield from _lifecycle(settings, found, row)
    elif isinstance(settings, Ranking):
        yield from _ranked(query, layer, settings, row)


def _ranked(query: Query, layer: Layer, ranking: Ranking, row: Row) -> Iterator[Reason]:
    own = "currency is not distinct from $currency" if ranking.third != "activity" else "true"
    last = "last_at < $last_at" if ranking.recency_by == "moment" else "days > $days"
    counts = query.one(
        f"select count(*), count(*) filter (where {last}), count(*) filter (where orders < $orders),"
        f" count(*) filter (where {own} and amount is not null), count(*) filter (where {own} and amount < $amount)"
        f" from {FRESH}",
        {key: row[key] for key in ("last_at", "days", "orders", "currency", "amount")},
    ) or (0, 0, 0, 0, 0)
    unit = row["currency"] or ""
    figures = {
        "recency": (f"last order {row['last_at']:%Y-%m-%d}, {row['days']:,} days ago", counts[1], counts[0], "earlier"),
        "frequency": (f"{row['orders']:,} orders", counts[2], counts[0], "fewer"),
        "third": (f"{_plain(row['amount'])} {unit}".strip(), counts[4], counts[3], "less"),
    }
    for axis, (figure, below, total, word) in figures.items():
        what = ranking.third if axis == "third" else axis
        if row[axis] is None:
            yield Reason(what=what, answer="–", why=f"no order in {ranking.currency}")
            continue
        borders = getattr(ranking.cuts, axis)
        how = f"cut at {', '.join(f'{b:g}' for b in borders)}" if borders else f"{below:,} of {total:,} {word}"
        yield Reason(what=what, answer=f"{row[axis]} of {ranking.classes(axis)}", why=f"{figure}; {how}")
    rule = next((rule for rule in layer.classes or SHIPPED if rule.name == row["class"]), None)
    fifths = "" if layer.classes or ranking.quantiles == 5 else ", in fifths"
    yield Reason(what="class", answer=row["class"], why=f"{rule_text(rule)}{fifths}" if rule else "no class fits")


def _plain(amount: Any) -> str:
    return "–" if amount is None else f"{amount:,.2f}".removesuffix(".00")


def _lifecycle(rules: LifecycleRules, found: Computed, row: Row) -> Iterator[Reason]:
    again = f"{row['x']:,} days with an order after the first"
    yield Reason(what="orders", answer=f"{row['orders']:,}", why=f"first {row['first_at']:%Y-%m-%d}, {again}")
    yield Reason(
        what="silence",
        answer=f"{row['days']:,} days",
        why=f"last order {row['last_at']:%Y-%m-%d}; silent after {rules.silent}: {'yes' if row['silent'] else 'no'}",
    )
    fitted = found.fitted
    if row["value"] is not None and fitted is not None:
        said = ", ".join(f"{name} {value:.4g}" for name, value in fitted.parameters.items())
        yield Reason(
            what="P(alive)", answer=f"{row['value']:.3f}", why=f"BG/NBD of {fitted.customers:,} customers: {said}"
        )
    else:
        why = fitted.note if fitted is not None and fitted.note else "one order only, of which BG/NBD says nothing"
        yield Reason(what="P(alive)", answer="–", why=f"{why}: silence decides")
    trend = f"{row['lately']:g} against {row['earlier']:g}"
    yield Reason(what="trend", answer=trend, why=f"{rules.measure} in {rules.window} against those before")
    yield Reason(what="period", answer=row["class"], why=_period(rules, row))


def _period(rules: LifecycleRules, row: Row) -> str:
    return {
        "decline": f"P(alive) below {rules.alive_below:g}"
        if row["value"] is not None
        else f"silent for {rules.silent}",
        "acquisition": f"first order within {rules.young}",
        "growth": "more than before",
        "maturity": "neither young, growing nor gone",
    }[row["class"]]


def _preference(query: Query, rules: PreferenceRules, lead_id: int) -> Iterator[Reason]:
    shares = query.rows(
        "select category, millionths, rows from shares where lead_id = $lead order by millionths desc, category",
        {"lead": lead_id},
    )
    for category, millionths, rows in shares:
        yield Reason(what=category, answer=f"{millionths / 10_000:.4f} %", why=f"{rows:,} rows")
    if not shares:
        seen = query.one(
            "select coalesce(cast(sum(rows) as bigint), 0) from seen_categories"
            " where lead_id = $lead and category is not null",
            {"lead": lead_id},
        ) or (0,)
        yield Reason(what="rows", answer=f"{seen[0]:,}", why=f"fewer than {rules.min_rows}, or none with a {rules.by}")
    elif shares[0][1] < rules.min_share * 1_000_000:
        yield Reason(what="preference", answer="–", why=f"no share reaches {rules.min_share:g}")
