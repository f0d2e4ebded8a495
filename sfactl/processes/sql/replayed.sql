-- One row is a case: from its first to its last event, whether it is over, and how many of its steps are allowed.
with seen as (
    select
        case_id,
        min(moment) as began_at,
        max(moment) as last_at,
        count(*) as events,
        sum(case when anytime then 0 else 1 end) as steps,
        sum(case when allowed then 0 else 1 end) as wrong,
        max(case when newest then number end) as last_number,
        min(case when anytime then null else moment end) as first_step_at,
        max(case when newest then moment end) as last_step_at
    from trace
    group by case_id
),

judged as (
    select
        s.*,
        a.is_end,
        s.last_number is not null
        and (a.is_end or ($quiet_since is not null and s.last_at < cast($quiet_since as timestamp))) as is_over
    from seen s
    left join activity a on a.number = s.last_number
)

select
    case_id,
    began_at,
    last_at,
    cast(events as bigint) as events,
    last_number,
    is_over,
    -- Leaving is a step of a case that is over.
    cast(steps + case when is_over then 1 else 0 end as bigint) as steps,
    cast(wrong + case when is_over and not is_end then 1 else 0 end as bigint) as wrong,
    is_over and not is_end as left_open,
    first_step_at,
    last_step_at,
    cast(coalesce(date_diff('microsecond', first_step_at, last_step_at), 0) as bigint) as worked_us
from judged
