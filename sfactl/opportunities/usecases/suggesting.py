"""Find what customers may buy beside or above what they have, by rules learned from all orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import NotFound
from sfactl.opportunities.suggestions import (
    LARGEST_BASKET,
    MOST_PAIRS,
    MOST_PRODUCTS,
    MOST_RULES,
    MOST_WORK,
    Suggested,
    Wanted,
)
from sfactl.workspace.aliases import living

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

SQL, SUGGESTIONS = "opportunities", "suggestions"
SCATTER = 1_000_003


def suggest(session: Session, wanted: Wanted) -> Suggested:
    """Learn the rules from all orders, find the suggestions for every customer, and store what changed."""
    at = session.now()
    with session.write(SUGGESTIONS) as tx:
        found = _found(tx.query, wanted, at)
        params = {"kind": wanted.kind}
        new = tx.upsert(SUGGESTIONS, tx.query.statement(SQL, "suggest_changed"), params)
        gone = tx.delete(SUGGESTIONS, tx.query.statement(SQL, "suggest_gone"), params)
        result = replace(found, rows=_best(tx.query), dry_run=session.dry_run)
        if not new + gone:
            return result
        commit = tx.commit(kind=wanted.kind, suggestions=found.suggestions, changed=new, gone=gone)
    return replace(result, commit=commit.seq)


def look(session: Session, wanted: Wanted, *, lead_id: int | None = None, rules: bool = False) -> Suggested:
    """The same at ``--as-of`` for all, or for one customer, or the rules themselves; stores nothing."""
    at = session.as_of_time()
    with session.query() as query:
        if lead_id is not None:
            lead_id = living(query, "lead", lead_id)
            if query.get("leads", lead_id) is None:
                raise NotFound(f"there is no lead {lead_id}", hint="See: sfactl lead list")
        found = _found(query, wanted, at)
        rows = _rules(query, wanted) if rules else _best(query, lead_id)
    return replace(found, rows=rows, stored=False)


def _found(query: Query, wanted: Wanted, at: datetime) -> Suggested:
    """Make the temporary table ``best``: the suggestions to every customer."""
    params: dict[str, Any] = {"now": at, "kind": wanted.kind, "top": wanted.top}
    params |= {"min_confidence": wanted.min_confidence, "min_lift": wanted.min_lift}
    query.run(f"create or replace temp table bought as {query.statement(SQL, 'suggest_owned')}", params)
    query.run("create or replace temp table owned as select distinct lead_id, sku, currency from bought")
    customers = (query.one("select count(distinct lead_id) from bought") or (0,))[0]
    if wanted.kind == "cross":
        baskets, rules, left_out = _cross(query, wanted, params)
    else:
        baskets, rules, left_out = _up(query, wanted, customers, params)
    query.run(
        "create or replace temp table sold_as as select sku, min(product_name) as name from order_lines group by sku"
    )
    best = query.statement(SQL, "suggest_best")
    query.run(f"create or replace temp table best as {best}", params)
    counted = query.one("select count(*), count(distinct lead_id) from best") or (0, 0)
    return Suggested(
        kind=wanted.kind,
        at=at,
        customers=customers,
        baskets=baskets,
        least=wanted.least(baskets),
        rules=rules,
        suggestions=counted[0],
        reached=counted[1],
        rows=query.table("select * from best limit 0"),
        left_out={what: number for what, number in left_out.items() if number},
    )


def _cross(query: Query, wanted: Wanted, params: dict[str, Any]) -> tuple[int, int, dict[str, int]]:
    """Make ``rules`` and ``chances``; answers the number of baskets, of rules, and what was left out."""
    query.run("create or replace temp table owned as select distinct lead_id, sku from bought")
    left_out = _baskets(query, wanted, params)
    pairs = query.statement(SQL, "suggest_pairs").format(pairs=MOST_PAIRS)
    query.run(f"create or replace temp table pairs as {pairs}", params)
    empty = "select 0 as one, 0 as two, 0 as three, 0 as baskets where false"
    sets = query.statement(SQL, "suggest_sets") if wanted.sets == 2 else empty
    query.run(f"create or replace temp table sets as {sets}", params)
    rules = query.statement(SQL, "suggest_rules").format(rules=MOST_RULES)
    query.run(f"create or replace temp table rules as {rules}", params)
    surest = "row_number() over (order by confidence desc, lift desc, because, sku)"
    query.run(f"create or replace temp table surest as select *, {surest} as place from rules")
    query.run(
        "create or replace temp table owned_items as select o.lead_id, i.item from owned as o"
        " join items as i on i.sku = o.sku"
    )
    query.run(f"create or replace temp table chances as {query.statement(SQL, 'suggest_cross')}", params)
    counted = (query.one("select count(*) from rules") or (0,))[0]
    return params["baskets"], counted, left_out


def _baskets(query: Query, wanted: Wanted, params: dict[str, Any]) -> dict[str, int]:
    """Make ``baskets``, ``items`` and ``held``, so few that their pairs and sets can be counted; tells what is not.

    All figures are those of the baskets that stay, so that they are exact for these.
    """
    basket = "lead_id" if wanted.basket == "customer" else "order_id"
    query.run(f"create or replace temp table baskets as select distinct {basket} as basket, sku from bought")
    every, large = _held(query, wanted, params), 0
    if query.one(f"select 1 from held where width > {LARGEST_BASKET} limit 1"):
        query.run(f"delete from baskets where basket in (select basket from held where width > {LARGEST_BASKET})")
        large = every - _held(query, wanted, params)
    pairs, sets = query.one(query.statement(SQL, "suggest_work")) or (0.0, 0.0)
    share = MOST_WORK / max(pairs + (sets if wanted.sets == 2 else 0), 1)
    sampled = 0
    if share < 1:
        # By a fixed scatter of the numbers, so that every run takes the same.
        query.run(f"delete from baskets where (basket % {SCATTER}) * 7919 % {SCATTER} >= {int(share * SCATTER)}")
        sampled = every - large - _held(query, wanted, params)
    rare = query.one("select (select count(distinct sku) from bought) - (select count(*) from items)") or (0,)
    return {
        f"baskets of more than {LARGEST_BASKET} frequent products": large,
        "baskets that were not counted, to bound the work: the rest is a fixed sample": sampled,
        "products in too few baskets": rare[0],
    }


def _held(query: Query, wanted: Wanted, params: dict[str, Any]) -> int:
    """Number the products that are in enough of ``baskets``; answers how many baskets there are."""
    baskets = int((query.one("select count(distinct basket) from baskets") or (0,))[0])
    params |= {"baskets": baskets, "least": wanted.least(baskets)}
    items = query.statement(SQL, "suggest_items").format(products=MOST_PRODUCTS)
    query.run(f"create or replace temp table items as {items}", params)
    query.run(f"create or replace temp table held as {query.statement(SQL, 'suggest_held')}", params)
    return baskets


def _up(query: Query, wanted: Wanted, customers: int, params: dict[str, Any]) -> tuple[int, int, dict[str, int]]:
    """Make ``steps`` and ``chances``; answers the number of customers, of steps, and what was left out."""
    params |= {"customers": customers, "least": wanted.least(customers), "min_step": wanted.min_step}
    for table, statement in (("priced", "suggest_priced"), ("steps", "suggest_steps"), ("chances", "suggest_up")):
        query.run(f"create or replace temp table {table} as {query.statement(SQL, statement)}", params)
    counted = query.one(
        "select (select count(*) from steps),"
        " (select count(distinct sku) from bought) - (select count(distinct sku) from priced)"
    ) or (0, 0)
    return customers, counted[0], {"products without a family (see: sfactl product import)": counted[1]}


def _best(query: Query, lead_id: int | None = None) -> pa.Table:
    only = "where b.lead_id = $lead " if lead_id is not None else ""
    return query.table(
        "select b.lead_id, l.full_name, l.company, b.sku, b.product_name, b.because, b.customers, b.support,"
        f" b.confidence, b.lift, b.reason, b.place from best as b left join leads as l on l.lead_id = b.lead_id {only}"
        "order by b.lead_id, b.place",
        {"lead": lead_id},
    )


def _rules(query: Query, wanted: Wanted) -> pa.Table:
    if wanted.kind == "cross":
        sql = (
            "select because, sku, together as baskets, support, confidence, lift from rules"
            " order by lift desc, confidence desc, because, sku"
        )
    else:
        sql = (
            "select first as because, product as sku, family, currency, round(price, 4) as price,"
            " round(next_price, 4) as next_price, together as customers, with_reason as have_because"
            " from steps order by family, currency, price, because"
        )
    return query.table(sql)
