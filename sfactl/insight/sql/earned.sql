-- One row is a deal that a lead of the cohort has won, and its value in the workspace's currency; null without a rate.
with won as (
    select
        o.opportunity_id,
        o.lead_id,
        o.currency,
        o.amount,
        cast(coalesce(o.closed_at, o.updated_at) as date) as day
    from opportunities o
    where
        o.category = 'won'
        and ($undated or coalesce(o.closed_at, o.updated_at) <= cast($valid_at as timestamp))
)

select
    w.*,
    j.part,
    cast(round(cast(w.amount as double) * f.factor, cast($digits as integer)) as decimal(18, 4)) as earned
from won w
join journey j on j.lead_id = w.lead_id
left join factor f on f.currency = w.currency and f.day = w.day
