-- One row is a lead whose row in the pool is no longer true: it is gone or closed, or has an owner while in the pool.
select p.lead_id, p.state, l.owner
from lead_pool as p
left join leads as l on l.lead_id = p.lead_id
where l.lead_id is null
    or coalesce(l.status, 'new') not in ('new', 'mql', 'sql')
    or (l.owner is null and p.state = 'held')
    or (l.owner is not null and p.state <> 'held')
    or (l.owner is not null and p.holder is distinct from l.owner)
