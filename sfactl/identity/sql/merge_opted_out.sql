-- One row per address of somebody who had unsubscribed and that the survivor would no longer protect: because the other
-- half agreed to mail later, or because the survivor is written to elsewhere. Reads members and final.
with said as (
    select m._group, m._id, max(case when t.kind = 'unsubscribe' then t."at" end) as out_at,
        max(case when t.kind <> 'unsubscribe' then t."at" end) as in_at
    from members m
    join touchpoints t on t.lead_id = m._id
    where t.kind in ('unsubscribe', 'subscribe', 'consent')
    group by m._group, m._id
),
together as (select _group, max(out_at) as out_at, max(in_at) as in_at from said group by _group),
addresses as (
    select s._group, m._place, 'email' as kind, lower(m.email) as value
    from said s join members m on m._id = s._id
    where m.email is not null and s.out_at >= coalesce(s.in_at, timestamp '0001-01-01 00:00:00')
    union all
    select s._group, m._place, 'phone', m.phone
    from said s join members m on m._id = s._id
    where m.phone is not null and s.out_at >= coalesce(s.in_at, timestamp '0001-01-01 00:00:00')
)
select a.kind, a.value, 'all' as scope, 'unsubscribe' as reason, cast($now as timestamp) as "at",
    min(a._group) as lead_id, min(a._place) as place
from addresses a
join together g on g._group = a._group
join final f on f.lead_id = a._group
left join suppressions s on s.kind = a.kind and s.value = a.value and s.scope = 'all'
where s.value is null
    and (coalesce(g.out_at < g.in_at, false)
        or a.value is distinct from case a.kind when 'email' then lower(f.email) else f.phone end)
group by a.kind, a.value
