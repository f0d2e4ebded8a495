-- One row is a lead in the stage before: by which path it goes or lacks least, what it lacks there (null: nothing), and
-- the event that made it fit. The places in braces are filled from the rules. The tables candidates, flags (which
-- conditions hold) and valued (the lifetime value) are temporary.
with suppressed as (
    select value, min(coalesce(reason, 'no reason')) as reason
    from suppressions
    where kind = 'email' and scope = 'all'
    group by value
),
returned as (
    select e.entity_id as lead_id, max(e.at) as moved_at
    from stage_events as e
    where e.entity = 'lead' and from_stage is not null and entity_id in (select lead_id from candidates)
    group by entity_id
),
causes as (
    select c.lead_id, c.path, c.event_id,
        row_number() over (
            partition by c.lead_id, c.path
            -- An event since the lead was last moved counts before one that was used already.
            order by coalesce(c.at > r.moved_at, true) desc, c.at, c.event_id
        ) as place
    from ({causes}) as c
    left join returned as r on r.lead_id = c.lead_id
    where c.at <= $now and c.lead_id in (select lead_id from candidates)
),
points as (select lead_id{points} from scores where lead_id in (select lead_id from candidates) group by lead_id),
judged as (
    select
        l.lead_id,
        l.full_name,
        l.company,
        l.email,
        coalesce(l.status, 'new') as stage,
        {judged}
    from leads as l
    left join flags as h on h.lead_id = l.lead_id
    left join valued as v on v.lead_id = l.lead_id
    left join points as s on s.lead_id = l.lead_id
    left join suppressed as u on u.value = lower(l.email)
    where l.lead_id in (select lead_id from candidates)
),
placed as (select *, cast({path} as bigint) as path from judged)
select
    p.lead_id,
    p.full_name,
    p.company,
    p.email,
    p.stage,
    p.path,
    {chosen},
    coalesce(c.event_id, $cause) as cause,
    {flags}
from placed as p
left join (select * from causes where place = 1) as c on c.lead_id = p.lead_id and c.path = p.path
