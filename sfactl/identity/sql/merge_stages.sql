-- One row per survivor whose stage is not the last one that the events of all its members tell: the event that says so.
-- Reads members (the leads before) and final (the survivors after).
with last as (
    select m._group, e.to_stage
    from members m
    join stage_events e on e.entity_id = m._id and e.entity = 'lead'
    qualify row_number() over (
        partition by m._group
        order by e."at" desc, case when e.from_stage is null then 0 else 1 end desc, e.event_id desc
    ) = 1
)
select 'merge:' || p.group_id || ':stage' as event_id, cast($now as timestamp) as "at", 'lead' as entity,
    f.lead_id as entity_id, coalesce(l.to_stage, 'new') as from_stage, f.status as to_stage, $actor as actor,
    'merge:' || p.group_id as cause, 'furthest along of the merged leads' as reason
from final f
join (select distinct survivor_id, group_id from pairs) p on p.survivor_id = f.lead_id
left join last l on l._group = f.lead_id
where coalesce(f.status, 'new') <> coalesce(l.to_stage, 'new')
