-- One row is a tag given by hand that is new, or that says something else than before; a change keeps its first time.
select
    w.entity,
    w.entity_id,
    w.tag,
    w.source,
    w.author,
    w.value,
    case when k.tag is not null and k.value is not distinct from w.value
            and (k.expires_at is null or k.expires_at > $now) then k.at else w.at end as "at",
    w.expires_at,
    cast(null as varchar) as rule,
    w.confidence,
    w.note,
    case when w.entity = 'lead' then w.entity_id end as lead_id,
    case when w.entity = 'contact' then w.entity_id end as contact_id,
    case when w.entity = 'account' then w.entity_id end as account_id,
    k.tag is not null as known
from wanted as w
left join tags as k
    on k.entity = w.entity and k.entity_id = w.entity_id and k.tag = w.tag and k.source = w.source
    and k.author = w.author
where k.tag is null
    or k.value is distinct from w.value
    or k.expires_at is distinct from w.expires_at
    or k.note is distinct from coalesce(w.note, k.note)
