-- One row is a lead that is still open, and for how many whole days nothing has happened with it.
with touched as (
    select
        lead_id,
        max("at") as touched_at
    from touchpoints
    where "at" <= cast($seen_at as timestamp) and coalesce(kind, '') not in ('bot_open', 'bot_click')
    group by lead_id
),

idle as (
    select
        j.*,
        case j.reached when 0 then 'lead' when 1 then 'mql' else 'sql' end as stage,
        t.touched_at,
        case when t.touched_at is null then 1 else 0 end as never,
        greatest(
            0, floor(date_diff('second', coalesce(t.touched_at, j.lead_at), cast($seen_at as timestamp)) / 86400.0)
        ) as idle_days
    from journey j
    join leads l on l.lead_id = j.lead_id
    left join touched t on t.lead_id = j.lead_id
    where
        j.reached < 3
        and j.won = 0
        and j.dropped_at is null
        and ($valid or coalesce(l.status, 'new') <> 'disqualified')
)

select
    lead_id,
    full_name,
    company,
    source,
    owner,
    stage,
    lead_on,
    touched_at,
    never,
    cast(coalesce(idle_days, 0) as bigint) as idle_days,
    case when $by = 'stage' then stage else part end as part
from idle
