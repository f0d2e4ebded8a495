"""Hold the scores against what the world hides: would these people have bought, had anybody called them?"""

from __future__ import annotations

from dataclasses import dataclass

from sfactl.demo.world import Tables
from sfactl.session import Session

JUDGED = """
with best as (
    select e.score, l.external_id, max(e.points) as points
    from score_events e
    join leads l on l.lead_id = e.lead_id
    where l.external_id is not null
    group by e.score, l.external_id
),
placed as (
    select
        b.score,
        t.converts,
        rank() over (partition by b.score order by b.points)
        + (count(*) over (partition by b.score, b.points) - 1) / 2.0 as place
    from best b
    join truth t on t.external_id = b.external_id
)
select
    score,
    (sum(place) filter (where converts) - n * (n + 1) / 2.0) / nullif(n * (count(*) - n), 0) as auc
from (select *, count(*) filter (where converts) over (partition by score) as n from placed) p
group by score, n
order by auc desc, score
"""
MISSED = """
select count(*) filter (where t.converts), count(*) filter (where t.converts and l.converted_at is null)
from truth t
left join leads l on l.external_id = t.external_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How often each score put a buyer before another person, and how many buyers nobody ever talked to.

    The rank sum gives the share of pairs: Mann, H. B., Whitney, D. R. (1947), doi:10.1214/aoms/1177730491.
    """

    right_order: dict[str, float]
    buyers: int
    missed: int


def verdict(session: Session, tables: Tables) -> Verdict:
    """Judge the scores of the finished year by the hidden truth."""
    with session.query() as query:
        query.register("truth", tables.table("select external_id, converts from truth"))
        right_order = {score: float(auc) for score, auc in query.rows(JUDGED) if auc is not None}
        buyers, missed = query.one(MISSED) or (0, 0)
    return Verdict(right_order=right_order, buyers=buyers, missed=missed)
