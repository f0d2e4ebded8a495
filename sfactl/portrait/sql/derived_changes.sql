-- One row is a derived tag that comes or changes (write), or that goes (remove), or that stays only until it expires (kept).
with known as (select * from tags where source = 'derived' and entity = $entity and {scope}),
compared as (
    select
        coalesce(w.entity_id, k.entity_id) as entity_id,
        coalesce(w.tag, k.tag) as tag,
        coalesce(w.rule, k.author) as rule,
        w.value,
        w.confidence,
        w.expires_at,
        w.tag is not null as wanted,
        k.tag is not null as there,
        k.tag is not null and (k.expires_at is null or k.expires_at > $now) as counts,
        k.expires_at as known_until,
        k.value is distinct from w.value
            or k.confidence is distinct from w.confidence
            or (k.expires_at is null) <> (w.expires_at is null) as differs
    from wanted as w
    full join known as k on k.entity_id = w.entity_id and k.tag = w.tag and k.author = w.rule
)
select
    $entity as entity,
    entity_id,
    tag,
    rule,
    value,
    confidence,
    expires_at,
    case
        when wanted and (not there or not counts or differs) then 'write'
        when not wanted and (not counts or known_until is null or rule not in (select rule from rules)) then 'remove'
        when not wanted then 'kept'
        else 'same'
    end as what,
    counts,
    cast($now as timestamp) as since,
    case when $entity = 'lead' then entity_id end as lead_id,
    case when $entity = 'contact' then entity_id end as contact_id,
    case when $entity = 'account' then entity_id end as account_id
from compared
