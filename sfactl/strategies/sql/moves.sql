-- One row per lead whose place changes, as it is after the plan: where it stands or stood last, since when (null: since the
-- plan is applied), and how it left. Reads walked: what the plan decided, step by step.
with ends as (
    select * from walked where to_step is null or to_step = 'end'
),
counted as (
    select lead_id, rotation, count(*) as decisions, max(case when step = 'entry' then 1 else 0 end) as entered
    from walked
    group by lead_id, rotation
)
select e.lead_id, e.rotation, e.version, case when e.step <> 'entry' then e.step end as step, a.since,
    case
        when e.step = 'entry' then 'control'
        when e.to_step is null then 'active'
        when e.action = 'leave' and e.reason = 'goal' then 'goal'
        when e.action = 'leave' and e.reason <> 'finished' then 'exit'
        else 'finished'
    end as state,
    case when e.to_step = 'end' then case when e.action = 'leave' then e.reason else 'finished' end end as reason,
    e.to_step is not null as is_out, c.entered = 1 as is_new
from ends e
join counted c on c.lead_id = e.lead_id and c.rotation = e.rotation
left join walked a on a.lead_id = e.lead_id and a.rotation = e.rotation and a.to_step = e.step
where e.to_step = 'end' or e.step = 'entry' or c.decisions > 1
