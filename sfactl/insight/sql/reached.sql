-- One row is a lead of the cohort, whether it came to the outcome, and the first moment that bears witness to it.
with dated as (
    select
        j.*,
        case when $stage_no = 7 then j.won when j.reached >= $stage_no then 1 else 0 end as hit,
        case $stage_no
            when 1 then least(j.mql_at, j.sql_at, j.opportunity_at, j.quote_at, j.order_at, j.paid_at)
            when 2 then least(j.sql_at, j.opportunity_at, j.quote_at, j.order_at, j.paid_at)
            when 3 then least(j.opportunity_at, j.quote_at, j.order_at, j.paid_at)
            when 4 then least(j.quote_at, j.order_at, j.paid_at)
            when 5 then least(j.order_at, j.paid_at)
            when 6 then j.paid_at
            else j.won_at
        end as outcome_at,
        case when j.reached between 1 and 4 and j.won = 0 and j.lost = 0 then 1 else 0 end as under_way
    from journey j
)

select
    *,
    cast(timezone($zone, timezone('UTC', outcome_at)) as date) as outcome_on
from dated
