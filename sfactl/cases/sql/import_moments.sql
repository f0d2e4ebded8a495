-- One row per moment of a case of the file (file_cases): what it became then, as the file tells it or as it is stored already
-- (is_stored), with the status before it. Moments that change nothing are left out; a stored one is never told again.
with stored as (
    select e.case_id, e."at", e.to_status as status, e.to_state as state, 0 as rank, e.event_no as place, true as is_stored,
        cast(null as varchar) as actor, cast(null as varchar) as reason
    from case_events e
    join file_cases f on f.case_id = e.case_id
    where e.to_status is not null
),
told as (
    select f.case_id, f.opened_at as "at", $start as status, $start_state as state, -1 as rank, 0 as place,
        max(case when g."at" = f.opened_at then g.handler end) as actor, cast(null as varchar) as reason
    from file_cases f join good g on g.case_key = f.case_key where f.known_since is null
    group by f.case_id, f.opened_at
    union all
    select f.case_id, g.resolved_at, $resolved, 'resolved', 1, g._row, g.handler, null
    from good g join file_cases f on f.case_key = g.case_key
    where g.resolved_at is not null and g.state = 'closed' and $resolved is not null
    union all
    select f.case_id,
        coalesce(case g.state when 'closed' then coalesce(g.closed_at, g.resolved_at) when 'resolved' then g.resolved_at end,
            g."at"),
        g.status, g.state, 2, g._row, g.handler, g.reason
    from good g join file_cases f on f.case_key = g.case_key where g.status is not null
),
fresh as (
    select t.case_id, t."at", t.status, t.state, t.rank, t.place, false as is_stored, t.actor, t.reason
    from told t
    join file_cases f on f.case_id = t.case_id
    left join stored s on s.case_id = t.case_id and s."at" = t."at" and s.status = t.status
    where s.case_id is null and t."at" >= coalesce(f.known_since, t."at")
),
ordered as (
    select *, lag(status) over w as status_before, lag(state) over w as state_before
    from (select * from stored union all select * from fresh)
    window w as (partition by case_id order by "at", rank, place)
)
select *, row_number() over (partition by case_id order by "at", rank, place) as nth
from ordered
where is_stored or status_before is distinct from status
