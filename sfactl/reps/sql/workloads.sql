-- One row is a rep: open leads owned, and turns had since the newest of the active reps takes work.
with rotation as (
    select coalesce(max(since), timestamp '1970-01-01') as begun
    from reps
    where coalesce(active, true) and coalesce(weight, 1) > 0
),
loads as (
    select owner, count(*) as open
    from leads
    where owner is not null and coalesce(status, 'new') in ('new', 'mql', 'sql')
    group by owner
),
turns as (
    select rep_id, count(*) as had
    from assignments as a
    where a.entity = 'lead' and a.strategy in ('round-robin', 'weighted', 'sla') and a.rep_id is not null
        and a.at >= (select begun from rotation)
    group by rep_id
)
select r.rep_id, coalesce(l.open, 0) as open, coalesce(t.had, 0) as turns
from reps as r
left join loads as l on l.owner = r.rep_id
left join turns as t on t.rep_id = r.rep_id
