-- One row is a lead in the stage before: what it lacks for the next (null: nothing), and the event that made it fit.
-- The places in braces are filled from the rules: the leads that fulfil the condition, and the requirements.
with held as (select distinct lead_id from ({held}) as members),
suppressed as (
    select value, min(coalesce(reason, 'no reason')) as reason
    from suppressions
    where kind = 'email' and scope = 'all'
    group by value
),
mine as (
    select *, coalesce(status, 'new') as stage
    from leads
    where coalesce(status, 'new') = $status and (cast($lead_id as bigint) is null or lead_id = $lead_id)
),
returned as (
    select e.entity_id as lead_id, max(e.at) as moved_at
    from stage_events as e
    where e.entity = 'lead' and from_stage is not null and entity_id in (select lead_id from mine)
    group by entity_id
),
causes as (
    select c.lead_id, c.event_id, c.at,
        row_number() over (
            partition by c.lead_id
            -- An event since the lead was last moved counts before one that was used already.
            order by coalesce(c.at > r.moved_at, true) desc, c.at, c.event_id
        ) as place
    from ({causes}) as c
    left join returned as r on r.lead_id = c.lead_id
    where c.at <= $now and c.lead_id in (select lead_id from mine)
)
select
    l.lead_id,
    l.full_name,
    l.company,
    l.email,
    l.stage,
    s.points,
    {missing} as missing,
    coalesce(c.event_id, $cause) as cause,
    {flags}
from mine as l
left join (select lead_id, points from scores where score = $score) as s on s.lead_id = l.lead_id
left join (select lead_id, true as held from held) as h on h.lead_id = l.lead_id
left join suppressed as u on u.value = lower(l.email)
left join (select * from causes where place = 1) as c on c.lead_id = l.lead_id
