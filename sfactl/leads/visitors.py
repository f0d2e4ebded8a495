"""Who a visitor of the web site is: said once by a form or a signed link, it holds for all that visitor did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfactl.engine.duck import Query

if TYPE_CHECKING:
    from sfactl.workspace import Transaction

TOUCH = (
    "select v.event_id, v.\"at\", case when v.form is null then 'visit' else 'form_submit' end as kind, n.lead_id,"
    " 'inbound' as direction, 'web' as channel, v.campaign,"
    " coalesce(v.content_id, v.page) as content, v.session_id, v.dwell_s as value, v.page, v.content_id, v.dwell_s,"
    " v.referrer, v.source, v.medium, v.visitor_id"
)
"""A visit as a touchpoint; ``v`` is the visit, ``n`` its visitor."""


def resolve(tx: Transaction) -> int:
    """Make touchpoints of the visits of known visitors; answers how many.

    Needs the tables ``fresh_visits`` (visits of this commit) and ``fresh_visitors`` (visitors known since this commit),
    with the columns of the datasets. Earlier visits of the latter become touchpoints, too.
    """
    query = tx.query
    known = "select visitor_id, lead_id from visitors union all select visitor_id, lead_id from fresh_visitors"
    query.run(
        f"create or replace temp table resolved as {TOUCH} from fresh_visits v join ({known}) n"
        f" on n.visitor_id = v.visitor_id union all {TOUCH} from visits v join fresh_visitors n"
        " on n.visitor_id = v.visitor_id"
    )
    made = count(query, "resolved")
    if count(query, "fresh_visitors"):
        tx.upsert("visitors", "select visitor_id, lead_id, since, cause from fresh_visitors")
    if made:
        tx.append(
            "touchpoints",
            "select * from resolved where event_id not in"
            " (select event_id from touchpoints where event_id like 'log:%')",
        )
    return made


def count(query: Query, table: str) -> int:
    """Rows of a temporary table."""
    return int((query.one(f"select count(*) from {table}") or (0,))[0])
