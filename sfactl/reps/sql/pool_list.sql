-- One row is a lead of the pool, or held: where it stands, since when, who has or had it, and until when it is protected.
select
    b.lead_id,
    coalesce(l.full_name, l.company, l.email) as name,
    l.company,
    l.country,
    coalesce(l.status, 'new') as status,
    b.state,
    b.since,
    b.holder,
    b.protected_until,
    b.last_holder,
    b.cause
from (
    select p.lead_id, p.state, p.since, p.holder, p.protected_until, p.last_holder, p.cause
    from lead_pool as p
    where p.state <> 'held'
    union all
    select h.lead_id, 'held', h.since, h.holder, h.protected_until, p.last_holder, p.cause
    from holdings as h
    left join lead_pool as p on p.lead_id = h.lead_id and p.state = 'held' and p.holder = h.holder
) as b
join leads as l on l.lead_id = b.lead_id
where (len($states) = 0 or list_contains($states, b.state))
    and (cast($rep as varchar) is null or b.holder = $rep or (b.holder is null and b.last_holder = $rep))
order by b.state desc, b.since, b.lead_id
