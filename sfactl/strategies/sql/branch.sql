-- One row per lead at a branch: the way it takes. False and unknown go the other way. Reads here, walk_flags and ways.
select h.lead_id, h.rotation, cast($version_no as bigint) as version_no, $step as step, cast($step_no as bigint) as step_no,
    'pass' as action, w.way as reason, cast(null as timestamp) as due_at, w.to_step, w.to_no,
    cast(null as timestamp) as since, h.arrived,
    cast(null as varchar) as channel, cast(null as varchar) as recipient, cast(null as varchar) as message_key,
    cast(null as varchar) as owner, cast(null as varchar) as inputs, cast(null as varchar) as sender
from here h
join walk_flags f on f.lead_id = h.lead_id and f.version_no = $version_no
join flow_ways w on w.version_no = $version_no and w.step = $step
    and w.way = case when f.flags[$flag] then 'then' else 'otherwise' end
