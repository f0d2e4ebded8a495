-- One row is a change of the deal: a move between stages, with the days spent in the stage before, or another field.
select h.happened, h.field, h.old_value, h.new_value, h.actor, h.cause, h.days
from (
    select
        e.at as happened,
        'stage' as field,
        e.from_stage as old_value,
        e.to_stage as new_value,
        e.actor,
        coalesce(e.cause, '') || coalesce(': ' || e.reason, '') as cause,
        round(
            (epoch(e.at) - epoch(lag(e.at) over (order by e.at, e.event_id))) / 86400.0, 2
        ) as days,
        e.event_id
    from stage_events as e
    where e.entity = 'opportunity' and e.entity_id = $id
    union all
    select f.at, f.field, f.old_value, f.new_value, f.actor, f.cause, null, f.event_id
    from field_events as f
    where f.entity = 'opportunity' and f.entity_id = $id
) as h
order by h.happened, h.event_id
