-- One row is a lead without an owner in one of the stages that are given out; what lies in the public pool is not.
select l.lead_id
from leads as l
where l.owner is null
    and list_contains($stages, coalesce(l.status, 'new'))
    and ($with_pool or l.lead_id not in (select p.lead_id from lead_pool as p where p.state in ('pool', 'asleep')))
