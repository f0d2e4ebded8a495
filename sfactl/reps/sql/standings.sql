-- One row is a rep: open leads owned, turns had since the newest of the active reps takes work, leads given today.
with gains as (
    select a.rep_id, count(distinct a.entity_id) as today
    from assignments as a
    join rep_days as d on d.rep_id = a.rep_id
    where a.entity = 'lead' and a.at >= d.begun
    group by a.rep_id
)
select r.*, s.open, s.turns, coalesce(g.today, 0) as today
from reps as r
join workloads as s on s.rep_id = r.rep_id
left join gains as g on g.rep_id = r.rep_id
order by r.rep_id
