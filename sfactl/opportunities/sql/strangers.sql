-- One row is a stage of the data that no pipeline has, with how many deals are in it and some of their numbers.
select
    o.pipeline,
    o.stage,
    count(*) as deals,
    string_agg('opp:' || o.opportunity_id, ', ' order by o.opportunity_id) filter (where o.place <= 5) as some
from (
    select p.*, row_number() over (partition by p.pipeline, p.stage order by p.opportunity_id) as place
    from opportunities as p
) as o
left join configured as k on k.pipeline = o.pipeline and k.stage = o.stage
where k.stage is null
group by o.pipeline, o.stage
order by o.pipeline, o.stage
