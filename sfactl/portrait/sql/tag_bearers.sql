-- One row is somebody who bears a tag now.
select
    t.entity,
    t.entity_id,
    coalesce(l.full_name, l.company, l.email, c.full_name, n.name) as name,
    t.value,
    t.source,
    t.author,
    t.at,
    t.expires_at,
    t.confidence
from tags as t
left join leads as l on l.lead_id = t.lead_id
left join contacts as c on c.contact_id = t.contact_id
left join accounts as n on n.account_id = t.account_id
where t.tag = $tag
    and (cast($source as varchar) is null or t.source = $source)
    and t.at <= $now
    and (t.expires_at is null or t.expires_at > $now)
order by t.entity, t.entity_id, t.source, t.author
