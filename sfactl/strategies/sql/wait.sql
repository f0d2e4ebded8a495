-- One row per lead that waits: on, because the condition holds or the time is over, or not yet.
-- Reads here, walk_flags and flow_ways; $flag 0 stands for no condition, without $limited no time ever ends it.
select x.lead_id, x.rotation, cast($version_no as bigint) as version_no, $step as step, cast($step_no as bigint) as step_no,
    case when x.way is null then 'wait' else 'pass' end as action, x.reason,
    case when x.way is null then x.ends_at end as due_at, w.to_step, w.to_no, cast(null as timestamp) as since, x.arrived,
    cast(null as varchar) as channel, cast(null as varchar) as recipient, cast(null as varchar) as message_key,
    cast(null as varchar) as owner, cast(null as varchar) as inputs, cast(null as varchar) as sender
from (
    select h.*,
        case
            when $flag > 0 and f.flags[greatest($flag, 1)] then 'on'
            when h.ends_at <= $at then case when $flag > 0 then 'late' else 'on' end
        end as way,
        case
            when $flag > 0 and f.flags[greatest($flag, 1)] then 'condition holds'
            when h.ends_at <= $at then case when $flag > 0 then 'time ran out' else $lasts || ' are over' end
            when $flag > 0 then 'for a condition'
            else 'for ' || $lasts
        end as reason
    from (
        select *, case when $limited then since + to_months($months) + to_seconds($seconds) end as ends_at from here
    ) h
    left join walk_flags f on f.lead_id = h.lead_id and f.version_no = $version_no
) x
left join flow_ways w on w.version_no = $version_no and w.step = $step and w.way = x.way
