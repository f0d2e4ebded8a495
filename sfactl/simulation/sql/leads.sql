-- One row per lead as it is now, with the time of its first sign (_appears): first contact, first event, or its creation
-- where that is older than the workspace ($first). A lead without any sign was always there.
with signs as (
    select lead_id, min("at") as "at" from touchpoints group by lead_id
    union all
    select lead_id, min("at") as "at" from orders group by lead_id
),
seen as (select lead_id, min("at") as "at" from signs group by lead_id)
select l.*,
    coalesce(
        least(s."at", cast(l.first_contact_on as timestamp), case when l.created_at < $first then l.created_at end),
        timestamp '0001-01-01 00:00:00'
    ) as _appears
from leads l
left join seen s on s.lead_id = l.lead_id
