-- One row is a stage of a pipeline in one currency: active deals with their amounts, plain and weighted.
select
    o.pipeline,
    o.stage,
    coalesce(o.currency, '') as currency,
    count(*) as deals,
    count(*) filter (where o.amount is null) as without_amount,
    cast(coalesce(sum(o.amount), 0) as decimal(38, 4)) as amount,
    cast(coalesce(sum(cast(o.amount * cast(o.probability as decimal(9, 6)) as decimal(28, 10))), 0) as decimal(38, 4))
        as weighted
from opportunities as o
where o.category = 'open' and o.disqualified_reason is null
    and (cast($owner as varchar) is null or o.owner = $owner)
    and (cast($pipeline as varchar) is null or o.pipeline = $pipeline)
group by o.pipeline, o.stage, coalesce(o.currency, '')
