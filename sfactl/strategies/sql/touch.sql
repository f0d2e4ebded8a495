-- One row per lead at a touch: what the gate of campaigns (plan_rows) said. Who may not be written to goes on; who may not
-- yet, or whose message's fate is unknown, stays. Reads touched (of which those of the turn $turn), plan_rows and flow_ways.
select h.lead_id, h.rotation, cast($version_no as bigint) as version_no, h.step, h.step_no,
    p.action, p.reason, p.due_at, w.to_step, w.to_no, cast(null as timestamp) as since, h.arrived, p.channel,
    case when p.action = 'send' then p.recipient end as recipient,
    case when p.action = 'send' then p.message_key end as message_key, cast(null as varchar) as owner,
    case when p.action = 'send' then p.inputs end as inputs, case when p.action = 'send' then $sender end as sender
from touched h
join plan_rows p on p.lead_id = h.lead_id and p.rotation = h.rotation and p.step = h.step
left join flow_ways w on w.version_no = $version_no and w.step = h.step and w.way = 'on' and p.action = 'skip'
where h.turn = $turn
