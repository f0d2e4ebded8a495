-- One row is a tag of one bearer, and whether it counts now.
select
    t.tag,
    t.value,
    t.source,
    t.author,
    t.at,
    t.expires_at,
    t.rule,
    t.confidence,
    t.note,
    t.at <= $now and (t.expires_at is null or t.expires_at > $now) as counts
from tags as t
where t.entity = $entity and t.entity_id = $id
order by t.tag, t.source, t.author
