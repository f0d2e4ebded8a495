-- One row per message in handed, which a person is to do, that is no task yet. The task has the message's key.
select h.task_id, h.kind, h.title, h.lead_id, l.opportunity_id, coalesce(nullif(h.owner, ''), l.owner) as owner, h.due_at,
    'open' as state, h.campaign, h.step, h.created_at, nullif(h.content, '') as content
from handed h
left join leads l on l.lead_id = h.lead_id
left join tasks t on t.task_id = h.task_id
where t.task_id is null
