-- One row is what nobody looks after: an open lead without an owner or late in the temporary table late, and an unsettled
-- case without an owner.
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
    date_diff('day', cast(coalesce(t.assigned_at, p.since, l.created_at) as date), cast($now as date)) as age_days,
    cast(null as bigint) as case_id
from leads as l
left join late as t on t.lead_id = l.lead_id
left join lead_pool as p on p.lead_id = l.lead_id and p.state in ('pool', 'asleep')
where coalesce(l.status, 'new') in ('new', 'mql', 'sql') and (l.owner is null or t.lead_id is not null)
union all
select
    c.lead_id,
    c.subject as name,
    c.status,
    c.owner,
    'case without owner' as why,
    c.opened_at as since,
    date_diff('day', cast(c.opened_at as date), cast($now as date)) as age_days,
    c.case_id
from cases as c
where c.owner is null and c.state in ('open', 'waiting')
order by since nulls first, lead_id, case_id
