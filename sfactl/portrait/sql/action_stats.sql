-- One row is a rule (override: what people set instead): how often it was suggested, and what came of it.
select
    rule,
    action,
    count(*) as suggested,
    count(*) filter (where taken_at is not null) as taken,
    count(*) filter (where taken_at is null and ended_by = 'overridden') as overridden,
    count(*) filter (
        where taken_at is null and ended_by is distinct from 'overridden' and (ended_at is not null or due_at <= $now)
    ) as ignored,
    count(*) filter (where taken_at is null and ended_at is null and due_at > $now) as open,
    round(100.0 * count(*) filter (where taken_at is not null)
        / nullif(count(*) filter (where taken_at is not null or ended_at is not null or due_at <= $now), 0), 1)
        as taken_percent
from (
    select
        o.*,
        (
            select min(e.kind) from next_action_events as e
            where e.lead_id = o.lead_id and e.at = o.ended_at and e.kind = 'overridden'
        ) as ended_by
    from outcomes as o
) as told
group by rule, action
order by suggested desc, rule, action
