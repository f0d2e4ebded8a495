-- One row is a stage of the board in one currency: deals and their amounts.
select
    o.stage,
    coalesce(o.currency, '') as currency,
    count(*) as deals,
    cast(coalesce(sum(o.amount), 0) as decimal(38, 4)) as amount
from opportunities as o
where o.pipeline = $pipeline and o.disqualified_reason is null
    and (cast($owner as varchar) is null or o.owner = $owner)
group by o.stage, coalesce(o.currency, '')
