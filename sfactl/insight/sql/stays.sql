-- One row is a stay: a handler had a case from one event to the next, the last one to the end of the case.
select
    case_id,
    handler,
    since_at,
    event_id,
    ended_at,
    greatest(
        since_at,
        least(
            ended_at,
            coalesce(lead(since_at) over (partition by case_id order by since_at, event_id), ended_at)
        )
    ) as until_at
from handled
where since_at <= ended_at
