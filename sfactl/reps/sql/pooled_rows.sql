-- One row is a lead of the temporary table given as it lies in the pool, with who had it and why it came.
select
    g.lead_id,
    'pool' as state,
    $now as since,
    cast(null as timestamp) as protected_until,
    cast(null as varchar) as holder,
    l.owner as last_holder,
    $now as released_at,
    g.reason as cause
from given as g
join leads as l on l.lead_id = g.lead_id
where g.rep_id is null
