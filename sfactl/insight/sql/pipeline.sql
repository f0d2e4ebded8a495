-- One row is a stage of a pipeline in one currency: the deals that stand in it now.
select
    pipeline,
    stage,
    category,
    currency,
    max(probability) as probability,
    cast(count(*) as bigint) as deals,
    cast(sum(amount) as decimal(18, 4)) as amount,
    cast(sum(cast(amount as double) * probability) as decimal(18, 4)) as weighted
from opportunities
where disqualified_reason is null
group by pipeline, stage, category, currency
order by pipeline, currency, max(probability), stage
