-- One row is a lead whose last event tells another stage than its record.
select l.lead_id
from leads as l
join (
    select entity_id as lead_id, to_stage
    from stage_events as e
    where entity = 'lead'
    qualify row_number() over (
        partition by entity_id order by e.at desc, case when from_stage is null then 0 else 1 end desc, event_id desc
    ) = 1
) as e on e.lead_id = l.lead_id
where e.to_stage <> coalesce(l.status, 'new')
order by l.lead_id
limit 100
