-- One row per decision of a plan, by lead, in the order of the way it takes.
select i.lead_id, l.full_name as name, i.step, i.action, i.reason, i.to_step, i.due_at, i.channel, i.recipient, i.owner
from plan_items i
left join leads l on l.lead_id = i.lead_id
where i.plan_id = $plan and ($action = '' or i.action = $action) and ($lead = 0 or i.lead_id = $lead)
order by i.lead_id, i.rotation, i.step_no
