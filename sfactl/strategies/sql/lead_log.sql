-- One row per thing that a strategy did with one lead, or decided about it, oldest first; without $strategy of all.
select e."at", e.strategy, e.rotation, e.step, e.what, e.detail, coalesce(e.to_step, '') as to_step
from enrolment_events e
where e.lead_id = $lead and ($strategy = '' or e.strategy = $strategy)
order by e."at", e.strategy, e.rotation, e.step_no,
    case when e.what in ('asked', 'waited') then 0 else 1 end, e.event_id
