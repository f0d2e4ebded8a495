-- One row is a stage of one part of the cohort, with the leads that came to it or further.
with stage as (
    select 0 as stage_no, 'lead' as stage
    union all select 1, 'mql'
    union all select 2, 'sql'
    union all select 3, 'opportunity'
    union all select 4, 'quote'
    union all select 5, 'order'
    union all select 6, 'paid'
),

dated as (
    select
        j.part,
        j.reached,
        s.stage_no,
        s.stage,
        case s.stage_no
            when 1 then date_diff('day', j.lead_on, j.mql_on)
            when 2 then date_diff('day', j.lead_on, j.sql_on)
            when 3 then date_diff('day', j.lead_on, j.opportunity_on)
            when 4 then date_diff('day', j.lead_on, j.quote_on)
            when 5 then date_diff('day', j.lead_on, j.order_on)
            when 6 then date_diff('day', j.lead_on, j.paid_on)
        end as days
    from journey j
    cross join stage s
)

select
    part,
    stage_no,
    stage,
    cast(sum(case when reached >= stage_no then 1 else 0 end) as bigint) as leads,
    median(case when reached >= stage_no then days end) as median_days
from dated
group by part, stage_no, stage
order by part, stage_no
