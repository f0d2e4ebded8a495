-- One row is an open lead that nobody looks after: without an owner, or late in the temporary table late.
select
    l.lead_id,
    coalesce(l.full_name, l.company, l.email) as name,
    coalesce(l.status, 'new') as status,
    l.owner,
    case
        when l.owner is not null then 'no follow-up, due ' || strftime(t.due_at, '%Y-%m-%d %H:%M')
        when p.state = 'asleep' then 'asleep in the public pool'
        when p.state = 'pool' then 'in the public pool: ' || coalesce(p.cause, 'released')
        else 'no owner'
    end as why,
    coalesce(t.assigned_at, p.since, l.created_at) as since,
    date_diff('day', cast(coalesce(t.assigned_at, p.since, l.created_at) as date), cast($now as date)) as age_days
from leads as l
left join late as t on t.lead_id = l.lead_id
left join lead_pool as p on p.lead_id = l.lead_id and p.state in ('pool', 'asleep')
where coalesce(l.status, 'new') in ('new', 'mql', 'sql') and (l.owner is null or t.lead_id is not null)
order by since nulls first, l.lead_id
