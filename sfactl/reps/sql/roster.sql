-- One row is a rep with the open leads owned, the turns had in the present rotation, and until when the rep is away.
with gone as (
    select rep_id, max(ends_at) as away_until
    from absences
    where starts_at <= $now and ends_at > $now
    group by rep_id
)
select r.rep_id, r.name, r.team, r.active, g.away_until, r.weight, r.capacity, s.open,
    s.turns, r.daily_limit, r.countries, r.territories, r.skills, r.calendar, r.email, r.time_zone
from reps as r
join workloads as s on s.rep_id = r.rep_id
left join gone as g on g.rep_id = r.rep_id
order by r.rep_id
