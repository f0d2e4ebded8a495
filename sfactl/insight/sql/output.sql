-- One row is something that a person of ours got done, on a day.
with act as (
    select t.actor as rep, 'touches' as what, t."at" as done_at, t.lead_id as lead_id, t.event_id as ref
    from touchpoints t
    left join reps r on r.rep_id = t.actor
    where t.direction = 'outbound' and t.actor is not null and (r.rep_id is not null or t.kind in ('call', 'meeting', 'demo'))
    union all
    select
        coalesce(r.rep_id, l.owner),
        'sql',
        e."at",
        e.entity_id,
        e.event_id
    from stage_events e
    left join reps r on r.rep_id = e.actor
    left join leads l on l.lead_id = e.entity_id
    where e.entity = 'lead' and e.to_stage = 'sql'
    union all
    select owner, 'opportunities', created_at, lead_id, cast(opportunity_id as varchar) from opportunities
    union all
    select owner, 'won', coalesce(closed_at, updated_at), lead_id, cast(opportunity_id as varchar)
    from opportunities
    where category = 'won'
)

select
    coalesce(rep, 'nobody') as part,
    what,
    done_at,
    cast(timezone($zone, timezone('UTC', done_at)) as date) as day,
    lead_id,
    ref
from act
where
    cast(timezone($zone, timezone('UTC', done_at)) as date) between cast($since as date) and cast($until as date)
    and done_at <= cast($seen_at as timestamp)
