-- One row is a lead of the temporary table given in the hands of its new holder.
select
    g.lead_id,
    'held' as state,
    $now as since,
    cast($protected_until as timestamp) as protected_until,
    g.rep_id as holder,
    coalesce(nullif(l.owner, g.rep_id), p.last_holder) as last_holder,
    p.released_at,
    g.strategy as cause
from given as g
join leads as l on l.lead_id = g.lead_id
left join lead_pool as p on p.lead_id = g.lead_id
where g.rep_id is not null
