-- One row per key that one of the merged leads had in its own row and the survivor has not: it is the survivor's now.
-- Reads members (the leads before) and final (the survivors after). A key that somebody is known by already stays theirs.
with keys as (
    select _group, 'external_id' as kind, external_id as value, coalesce(id_namespace, '') as namespace, _place
    from members where external_id is not null
    union all
    select _group, 'row', row_key, coalesce(id_namespace, ''), _place from members where row_key is not null
    union all
    select _group, 'email', lower(email), '', _place from members where email is not null
    union all
    select _group, 'phone', phone || '|' || coalesce(lower(full_name), lower(company), ''), '', _place
    from members where phone is not null
    union all
    select _group, 'tax_id', lower(tax_id), '', _place from members where tax_id is not null
),
kept as (
    select lead_id, 'external_id' as kind, external_id as value, coalesce(id_namespace, '') as namespace from final
    union all
    select lead_id, 'row', row_key, coalesce(id_namespace, '') from final
    union all
    select lead_id, 'email', lower(email), '' from final
    union all
    select lead_id, 'phone', phone || '|' || coalesce(lower(full_name), lower(company), ''), '' from final
    union all
    select lead_id, 'tax_id', lower(tax_id), '' from final
)
select k.kind, k.value, k.namespace, min(k._group) as lead_id, cast($now as timestamp) as since, min(k._place) as place
from keys k
left join kept o on o.kind = k.kind and o.value = k.value and o.namespace = k.namespace and o.lead_id = k._group
left join identities i on i.kind = k.kind and i.value = k.value and i.namespace = k.namespace
where o.value is null and i.value is null
group by k.kind, k.value, k.namespace
