-- One row is a case: how often it went from one person to another, how many had it, and how long it took.
with held as (
    select
        case_id,
        handler,
        since_at,
        event_id,
        until_at,
        -- What lies with nobody for a while and then comes to another person has been handed over all the same.
        last_value(handler ignore nulls) over (
            partition by case_id order by since_at, event_id rows between unbounded preceding and 1 preceding
        ) as handler_before
    from stay
)

select
    case_id,
    cast(count(distinct handler) as bigint) as handlers,
    cast(
        coalesce(sum(case when handler <> handler_before then 1 else 0 end), 0) as bigint
    ) as transfers,
    min(since_at) as begun_at,
    max(until_at) as ended_at,
    cast(sum(date_diff('microsecond', since_at, until_at)) as bigint) as dwell_us
from held
group by case_id
order by case_id
