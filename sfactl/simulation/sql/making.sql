-- One row per task that a run makes. An approval that nobody gave or refused in reality is answered at once, as assumed.
-- Reads walked, sim_steps and sim_done (the tasks that were made in reality).
with made as (
    select w.*, w.action = 'approval' and $answer <> '' and d.task_id is null as is_answered
    from walked w
    left join sim_done d on d.task_id = w.message_key
    where w.action in ('task', 'approval')
)
select m.message_key as task_id, s.kind, s.title, m.lead_id, l.opportunity_id, m.owner,
    cast($now as timestamp) + to_seconds(s.due_s) as due_at,
    case when m.is_answered then 'done' else 'open' end as state, $strategy as campaign, m.step,
    cast($now as timestamp) as created_at, case when m.is_answered then cast($now as timestamp) end as done_at,
    case when m.is_answered then $answer end as result, s.type, s.content
from made m
join sim_steps s on s.version = m.version and s.step = m.step
left join leads l on l.lead_id = m.lead_id
