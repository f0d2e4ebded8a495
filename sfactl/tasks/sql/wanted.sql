-- One row per task to be made (the table asked): as it would be, with what is there already (state, and whether it
-- differs). Who has no owner gets the rep of the lead.
select a."key" as task_id, a.kind, a.title, a.lead_id, l.opportunity_id, coalesce(nullif(a.owner, ''), l.owner) as owner,
    case when a.due_runs then coalesce(t.due_at, a.due_at) else a.due_at end as due_at, nullif(a.content, '') as content, nullif(a."type", '') as "type", t.state as state_now,
    coalesce(t.kind, '') <> a.kind or coalesce(t.title, '') <> a.title or t.lead_id is distinct from a.lead_id
        or (not a.due_runs and t.due_at is distinct from a.due_at) or coalesce(t.content, '') <> a.content
        or coalesce(t."type", '') <> a."type" or (a.owner <> '' and coalesce(t.owner, '') <> a.owner) as differs
from asked a
left join leads l on l.lead_id = a.lead_id
left join tasks t on t.task_id = a."key"
