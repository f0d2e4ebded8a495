-- One row per lead whose touch or approval is over: it goes on from the time when that was.
-- Reads walk_inside, outcomes and flow_ways.
select i.lead_id, i.rotation, i.version_no, i.step, i.step_no, 'pass' as action, o.outcome as reason,
    cast(null as timestamp) as due_at, w.to_step, w.to_no, o.settled_at as since, i.since as arrived,
    cast(null as varchar) as channel, cast(null as varchar) as recipient, cast(null as varchar) as message_key,
    cast(null as varchar) as owner, cast(null as varchar) as inputs, cast(null as varchar) as sender
from walk_inside i
join outcomes o on o.lead_id = i.lead_id and o.step = i.step and o.rotation = i.rotation
join flow_ways w on w.version_no = i.version_no and w.step = i.step and w.way in (o.outcome, 'on')
where i.state = 'active' and i.place = 1
