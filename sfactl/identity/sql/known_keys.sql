-- One row per key that leads to a lead: those in its own row first, then those it had or has beside them.
select kind, value, namespace, own
from (
    select 'email' as kind, lower(email) as value, '' as namespace, true as own from leads where lead_id = $lead
    union all
    select 'phone', phone, '', true from leads where lead_id = $lead
    union all
    select 'tax_id', lower(tax_id), '', true from leads where lead_id = $lead
    union all
    select 'external_id', external_id, coalesce(id_namespace, ''), true from leads where lead_id = $lead
    union all
    select kind, case kind when 'phone' then split_part(value, '|', 1) else value end, namespace, false
    from identities where lead_id = $lead
)
where value is not null
order by own desc, kind, value
