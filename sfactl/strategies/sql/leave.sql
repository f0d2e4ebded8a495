-- One row per lead that must leave, and why. Reads walk_standing, walk_flags (goal and exit come first in flags),
-- blacklist, walk_ended (what they did that ends it) and flow_limits (how long a version keeps anybody at most).
select *
from (
    select s.lead_id, s.rotation, s.version_no, s.step, s.step_no, 'leave' as action,
        case
            when s.place > 1 then 'merged'
            when f.lead_id is null then 'lead is gone'
            when b.lead_id is not null then 'blacklisted'
            when f.flags[1] then 'goal'
            when f.flags[2] then 'exit'
            when e.ending is not null then 'exit on ' || e.ending
            when s.entered_at + to_months(l.months) + to_seconds(l.seconds) <= $at then 'too long'
        end as reason,
        cast(null as timestamp) as due_at, 'end' as to_step, cast(0 as bigint) as to_no, cast(null as timestamp) as since,
        s.arrived, cast(null as varchar) as channel, cast(null as varchar) as recipient,
        cast(null as varchar) as message_key, cast(null as varchar) as owner, cast(null as varchar) as inputs,
        cast(null as varchar) as sender
    from walk_standing s
    left join walk_flags f on f.lead_id = s.lead_id and f.version_no = s.version_no
    left join blacklist b on b.lead_id = s.lead_id
    left join walk_ended e on e.lead_id = s.lead_id and e.rotation = s.rotation
    left join flow_limits l on l.version_no = s.version_no
)
where reason is not null
