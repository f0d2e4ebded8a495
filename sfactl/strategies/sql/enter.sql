-- One row per lead that enters, or is held out as control group: a number below 16^6 that depends on strategy, rotation
-- and lead only decides. Reads may_enter and walk_flags (goal and exit come first in flags).
with chosen as (
    select m.lead_id, m.rotation, md5($salt || cast(m.rotation as varchar) || '.' || cast(m.lead_id as varchar)) as digits
    from may_enter m
    join walk_flags f on f.lead_id = m.lead_id and f.version_no = $newest
    where not f.flags[1] and not f.flags[2]
    order by m.lead_id
    limit $limit
),
drawn as (
    select *,
        (instr('0123456789abcdef', substr(digits, 1, 1)) - 1) * 1048576
        + (instr('0123456789abcdef', substr(digits, 2, 1)) - 1) * 65536
        + (instr('0123456789abcdef', substr(digits, 3, 1)) - 1) * 4096
        + (instr('0123456789abcdef', substr(digits, 4, 1)) - 1) * 256
        + (instr('0123456789abcdef', substr(digits, 5, 1)) - 1) * 16
        + (instr('0123456789abcdef', substr(digits, 6, 1)) - 1) < $holdout * 167772.16 as is_control
    from chosen
)
select lead_id, rotation, cast($newest as bigint) as version_no, 'entry' as step, cast(0 as bigint) as step_no,
    case when is_control then 'hold' else 'enter' end as action, case when is_control then 'holdout' end as reason,
    cast(null as timestamp) as due_at, case when not is_control then $first end as to_step,
    case when not is_control then cast(1 as bigint) end as to_no, cast(null as timestamp) as since,
    cast(null as timestamp) as arrived, cast(null as varchar) as channel, cast(null as varchar) as recipient,
    cast(null as varchar) as message_key, cast(null as varchar) as owner, cast(null as varchar) as inputs,
    cast(null as varchar) as sender
from drawn
