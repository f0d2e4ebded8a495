-- One row is a lead that stays in the queue, with how long it has been there and why; the oldest first.
select
    w.lead_id,
    coalesce(l.full_name, l.company, l.email) as name,
    l.company,
    l.country,
    l.status,
    date_diff('day', cast(l.created_at as date), cast($now as date)) as age_days,
    w.reason
from waiting as w
join leads as l on l.lead_id = w.lead_id
order by l.created_at nulls first, w.lead_id
