-- One row is a tag that a person gave, and what speaks against it: another value, a tag that excludes it, or a rule.
with live as (
    select * from tags as t where t.at <= $now and (t.expires_at is null or t.expires_at > $now)
),
said as (select * from live where source not in ('derived', 'extracted')),
against as (
    select s.entity, s.entity_id, s.tag, s.value, s.source, s.author, s.at, 'value' as conflict,
        o.tag as against_tag, o.value as against_value, o.source as against_source, o.author as against_author
    from said as s
    join live as o on o.entity = s.entity and o.entity_id = s.entity_id and o.tag = s.tag
    where o.value is distinct from s.value
        -- Two people who differ are listed once.
        and (o.source in ('derived', 'extracted') or o.source || chr(31) || o.author > s.source || chr(31) || s.author)
    union all
    select s.entity, s.entity_id, s.tag, s.value, s.source, s.author, s.at, 'excluded',
        o.tag, o.value, o.source, o.author
    from said as s
    join exclusions as x on x.tag = s.tag
    join live as o on o.entity = s.entity and o.entity_id = s.entity_id and o.tag = x.other
    where o.source in ('derived', 'extracted') or s.tag < o.tag
    union all
    select s.entity, s.entity_id, s.tag, s.value, s.source, s.author, s.at, 'rule does not hold',
        r.tag, null, 'derived', r.rule
    from said as s
    join rules as r on r.entity = s.entity and r.tag = s.tag
    where not exists (
        select 1 from live as o
        where o.entity = s.entity and o.entity_id = s.entity_id and o.tag = s.tag and o.source = 'derived'
    )
)
select
    a.entity,
    a.entity_id,
    coalesce(l.full_name, l.company, l.email, c.full_name, n.name) as name,
    a.tag,
    a.value,
    a.source,
    a.author,
    a.at,
    a.conflict,
    a.against_tag,
    a.against_value,
    a.against_source,
    a.against_author
from against as a
left join leads as l on a.entity = 'lead' and l.lead_id = a.entity_id
left join contacts as c on a.entity = 'contact' and c.contact_id = a.entity_id
left join accounts as n on a.entity = 'account' and n.account_id = a.entity_id
order by a.entity, a.entity_id, a.tag, a.source, a.author, a.conflict, a.against_tag, a.against_source, a.against_author
