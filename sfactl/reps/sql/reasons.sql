-- One row is a lead with its owner-to-be and a reason that can be checked later: the turn, and how full the rep is then.
select
    g.lead_id,
    g.rep_id,
    case when $balanced then 'fewest open leads' else 'turn ' || g.turn end
        || case when s.weight = 1 then '' else ' at weight ' || s.weight end
        || ', open leads ' || (s.open + g.turn - s.turns) || coalesce(' of ' || s.capacity, '') as reason
from seats as g
join stands as s on s.rep_id = g.rep_id
order by g.lead_id
