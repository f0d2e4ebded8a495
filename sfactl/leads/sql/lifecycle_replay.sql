-- One row is a stage: how many leads are in it by their records, and how many by the last event of each.
with last as (
    select entity_id as lead_id, to_stage
    from stage_events as e
    where entity = 'lead'
    qualify row_number() over (
        partition by entity_id order by e.at desc, case when from_stage is null then 0 else 1 end desc, event_id desc
    ) = 1
),
both_ways as (
    select l.lead_id, coalesce(l.status, 'new') as recorded, coalesce(e.to_stage, 'new') as replayed
    from leads as l
    left join last as e on e.lead_id = l.lead_id
)
select stage, cast(sum(recorded) as bigint) as leads, cast(sum(replayed) as bigint) as replayed
from (
    select recorded as stage, 1 as recorded, 0 as replayed from both_ways
    union all
    select replayed, 0, 1 from both_ways
) as counted
group by stage
