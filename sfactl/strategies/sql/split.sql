-- One row per lead at a split: the arm it takes, by a number that depends on strategy, step, rotation and lead only.
-- Reads here, flow_arms (shares as bounds) and flow_ways.
with drawn as (
    select h.*, (
        (instr('0123456789abcdef', substr(digits, 1, 1)) - 1) * 1048576
        + (instr('0123456789abcdef', substr(digits, 2, 1)) - 1) * 65536
        + (instr('0123456789abcdef', substr(digits, 3, 1)) - 1) * 4096
        + (instr('0123456789abcdef', substr(digits, 4, 1)) - 1) * 256
        + (instr('0123456789abcdef', substr(digits, 5, 1)) - 1) * 16
        + (instr('0123456789abcdef', substr(digits, 6, 1)) - 1)) as bucket
    from (
        select *, md5($salt || cast(rotation as varchar) || '.' || cast(lead_id as varchar)) as digits from here
    ) h
)
select h.lead_id, h.rotation, cast($version_no as bigint) as version_no, $step as step, cast($step_no as bigint) as step_no,
    'pass' as action, 'arm ' || a.arm as reason, cast(null as timestamp) as due_at, w.to_step, w.to_no,
    cast(null as timestamp) as since, h.arrived,
    cast(null as varchar) as channel, cast(null as varchar) as recipient, cast(null as varchar) as message_key,
    cast(null as varchar) as owner, cast(null as varchar) as inputs, cast(null as varchar) as sender
from drawn h
join flow_arms a on a.version_no = $version_no and a.step = $step and h.bucket * a.total >= a.lower_share * 16777216
    and h.bucket * a.total < a.upper_share * 16777216
join flow_ways w on w.version_no = $version_no and w.step = $step and w.way = a.arm
