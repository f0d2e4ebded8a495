-- One row is a rep: open leads owned, turns had since the newest of the active reps takes work, leads given today.
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
),
gains as (
    select a.rep_id, count(distinct a.entity_id) as today
    from assignments as a
    join rep_days as d on d.rep_id = a.rep_id
    where a.entity = 'lead' and a.at >= d.begun
    group by a.rep_id
)
select r.*, coalesce(l.open, 0) as open, coalesce(t.had, 0) as turns, coalesce(g.today, 0) as today
from reps as r
left join loads as l on l.owner = r.rep_id
left join turns as t on t.rep_id = r.rep_id
left join gains as g on g.rep_id = r.rep_id
order by r.rep_id
