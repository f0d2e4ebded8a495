-- One row per lead that has come to the end.
select h.lead_id, h.rotation, cast($version_no as bigint) as version_no, $step as step, cast($step_no as bigint) as step_no,
    'leave' as action, 'finished' as reason, cast(null as timestamp) as due_at, 'end' as to_step,
    cast(0 as bigint) as to_no, cast(null as timestamp) as since, h.arrived,
    cast(null as varchar) as channel, cast(null as varchar) as recipient, cast(null as varchar) as message_key,
    cast(null as varchar) as owner, cast(null as varchar) as inputs, cast(null as varchar) as sender
from here h
