-- One row is a deal on the board with its place in its stage, the biggest first.
select
    o.opportunity_id,
    o.name,
    o.amount,
    o.currency,
    o.owner,
    o.stage,
    row_number() over (partition by o.stage order by o.amount desc nulls last, o.opportunity_id) as place
from opportunities as o
where o.pipeline = $pipeline and o.disqualified_reason is null
    and (cast($owner as varchar) is null or o.owner = $owner)
qualify row_number() over (partition by o.stage order by o.amount desc nulls last, o.opportunity_id) <= $cards
