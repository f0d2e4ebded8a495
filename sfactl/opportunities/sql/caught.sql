-- One row is an active deal with the first rule that takes it out of the pipeline.
select f.opportunity_id, $names[f.place + 1] as rule, $reasons[f.place + 1] as reason
from (
    select opportunity_id, min(place) as place
    from ({caught}) as any_rule
    group by opportunity_id
) as f
join opportunities as o on o.opportunity_id = f.opportunity_id
where o.category = 'open' and o.disqualified_reason is null
