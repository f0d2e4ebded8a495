-- One row per lead that waits for somebody's word: the task that asks for it, unless it was made already.
select h.lead_id, h.rotation, cast($version_no as bigint) as version_no, $step as step, cast($step_no as bigint) as step_no,
    case when t.task_id is null then 'approval' else 'wait' end as action,
    case when t.task_id is not null then 'approval by ' || coalesce(t.owner, 'nobody') end as reason,
    case when t.task_id is null then cast($due_at as timestamp) else t.due_at end as due_at,
    cast(null as varchar) as to_step, cast(null as bigint) as to_no, cast(null as timestamp) as since, h.arrived,
    cast(null as varchar) as channel, cast(null as varchar) as recipient,
    case when t.task_id is null then h.task_id end as message_key,
    case when t.task_id is null then coalesce(nullif($task_owner, ''), l.owner, nullif($owner, '')) end as owner,
    cast(null as varchar) as inputs, cast(null as varchar) as sender
from (
    select *, $key_prefix || $step || '.' || cast(lead_id as varchar) || '.' || cast(rotation as varchar) as task_id
    from here
) h
join leads l on l.lead_id = h.lead_id
left join tasks t on t.task_id = h.task_id
