-- One row per event to be stored: a moment of the file that is new, and who had a new case first; numbered in the order of
-- time from 1 on. The id comes from what the file says, so that the same file adds nothing.
with happened as (
    select 'import:' || md5(concat_ws(chr(31), $space, f.case_key, m.status, cast(m."at" as varchar))) as event_id, m."at",
        m.case_id,
        case when m.status_before is null then 'opened'
            when m.state_before in ('resolved', 'closed') and m.state not in ('resolved', 'closed') then 'reopened'
            else 'moved' end as kind,
        m.status_before as from_status, m.status as to_status, m.state_before as from_state, m.state as to_state,
        coalesce(m.actor, $actor) as actor, m.reason, cast(null as varchar) as field, cast(null as varchar) as new_value,
        case when m.status_before is null then f.channel end as channel, m.rank, m.place
    from moment m
    join file_cases f on f.case_id = m.case_id
    where not m.is_stored
    union all
    select 'import:' || md5(concat_ws(chr(31), $space, f.case_key, 'assigned')), min(g."at"), f.case_id, 'assigned',
        null, null, null, null, $actor, null, 'owner', arg_min(g.said_owner, g."at"), null, 3, 0
    from good g
    join file_cases f on f.case_key = g.case_key
    where g.said_owner is not null and f.known_since is null
    group by f.case_key, f.case_id
)
select event_id, "at", row_number() over (order by "at", case_id, rank, place) as event_no, case_id, kind, from_status,
    to_status, from_state, to_state, actor, reason, field, new_value, channel, $quiet as quiet
from happened
