-- One row per decision about a merged record that holds for its survivor from now on. Reads pairs.
-- Where the survivor has a decision of its own about the same other record, that one stays.
select d.entity, least(x.one, x.other) as a, greatest(x.one, x.other) as b, min(d.decision) as decision,
    min(d.decided_by) as decided_by, min(d.decided_at) as decided_at, min(d.reason) as reason,
    min(x.survivor_id) as lead_id, min(x.place) as place
from (
    select a as was_a, b as was_b, p.survivor_id as one, coalesce(q.survivor_id, d.b) as other, p.survivor_id, p.place
    from match_decisions d
    join pairs p on p.merged_id = d.a
    left join pairs q on q.merged_id = d.b
    where d.entity = $entity
    union
    select a, b, p.survivor_id, coalesce(q.survivor_id, d.a), p.survivor_id, p.place
    from match_decisions d
    join pairs p on p.merged_id = d.b
    left join pairs q on q.merged_id = d.a
    where d.entity = $entity
) x
join match_decisions d on d.entity = $entity and d.a = x.was_a and d.b = x.was_b
left join match_decisions have
    on have.entity = $entity and have.a = least(x.one, x.other) and have.b = greatest(x.one, x.other)
where x.one <> x.other and have.a is null
group by d.entity, least(x.one, x.other), greatest(x.one, x.other)
