-- One row per task of one step and version of a plan that is not there yet.
select i.message_key as task_id, $kind as kind, $title as title, i.lead_id, l.opportunity_id, i.owner,
    cast($due as timestamp) as due_at, 'open' as state, $strategy as campaign, i.step,
    cast($now as timestamp) as created_at, nullif($type, '') as type, nullif($content, '') as content
from plan_items i
left join leads l on l.lead_id = i.lead_id
left join tasks t on t.task_id = i.message_key
where i.plan_id = $plan and i.step = $step and i.version = $version and i.action in ('task', 'approval')
    and t.task_id is null
