-- One row is an open lead in one of the stages that are given out, with its owner. Left out is what a person gave to an
-- active rep by hand, and what lies in the public pool.
select l.lead_id, l.owner
from leads as l
left join reps as r on r.rep_id = l.owner
left join (
    select entity_id as lead_id, max_by(strategy, struct_pack(t := assignments."at", e := event_id)) as strategy
    from assignments
    where entity = 'lead'
    group by entity_id
) as a on a.lead_id = l.lead_id
where l.owner is not null
    and list_contains($stages, coalesce(l.status, 'new'))
    and not (coalesce(a.strategy, '') in ('manual', 'claim') and coalesce(r.active, false))
    and l.lead_id not in (select p.lead_id from lead_pool as p where p.state in ('pool', 'asleep'))
