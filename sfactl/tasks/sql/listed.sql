-- One row per task, those due first on top; no due date comes last.
select t.due_at, t.due_at < $at and t.state = 'open' as is_late, t.owner, t.kind, t.title, t.lead_id,
    l.full_name as lead, l.company, t.state, t.result, t.campaign, t.task_id
from tasks t
left join leads l on l.lead_id = t.lead_id
where ($state = 'all' or t.state = $state) and ($owner = '' or t.owner = $owner) and ($kind = '' or t.kind = $kind)
    and ($lead is null or t.lead_id = $lead) and (not $late or (t.due_at < $at and t.state = 'open'))
order by t.due_at nulls last, t.task_id
