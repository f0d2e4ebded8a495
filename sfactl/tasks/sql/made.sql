-- One row per task that is new, or open and said otherwise now (the table wanted): as it is to be stored.
select w.task_id, w.kind, w.title, w.lead_id, w.opportunity_id, coalesce(w.owner, t.owner) as owner, w.due_at,
    'open' as state, t.campaign, t.step, coalesce(t.created_at, cast($now as timestamp)) as created_at,
    t.done_at, t.result, w."type", w.content
from wanted w
left join tasks t on t.task_id = w.task_id
where w.state_now is null or (w.state_now = 'open' and w.differs)
