-- One row per pair in doubt that nobody has decided and whose records both are there still, the surest first.
select p.a, p.b, p.probability, p.weight, p.note
from dedupe_pairs p
left join record_aliases x on x.entity = p.entity and x.id = p.a
left join record_aliases y on y.entity = p.entity and y.id = p.b
left join match_decisions d on d.entity = p.entity and d.a = p.a and d.b = p.b
where p.plan_id = $plan and p.decision = 'review' and x.id is null and y.id is null and d.a is null
order by p.probability desc, p.a, p.b
