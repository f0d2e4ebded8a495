-- One row per message that the recorded run $plan planned and did not send.
select i.message_key
from plan_items i
left join sim_recorded r on r.message_key = i.message_key and r.plan_id = i.plan_id
where i.plan_id = $plan and i.action = 'send' and r.message_key is null
