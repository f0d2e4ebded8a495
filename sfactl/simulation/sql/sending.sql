-- One row per message that a run sends: what was sent in reality too ended as it did, the rest is accepted at once.
-- Reads walked, sim_recorded, and sim_held (what the recorded run planned and did not send).
select w.lead_id, w.rotation, w.step, w.channel, w.recipient, w.sender, coalesce(r.state, 'accepted') as state,
    case when r.plan_id = $plan then r."at" else cast($now as timestamp) end as "at"
from walked w
left join sim_recorded r on r.message_key = w.message_key
left join sim_held h on h.message_key = w.message_key
where w.action = 'send' and h.message_key is null
