-- One row per recorded run in the period: the time it was planned for, when it was applied, its plan, and the commit that
-- the plan read. What happened without waiting for a message bears the time of applying.
with applied as (
    select plan_id, min("at") as done_at
    from enrolment_events
    where strategy = $name and what not in ('sent', 'accepted', 'refused', 'approved')
    group by plan_id
)
select p.planned_at, coalesce(a.done_at, p.applied_at, p.planned_at) as done_at, p.plan_id, p.data_seq
from plans p
left join applied a on a.plan_id = p.plan_id
where p.campaign = $name and p.kind = $kind and p.state in ('applied', 'partly') and p.planned_at between $start and $end
order by p.planned_at, 2, p.plan_id
