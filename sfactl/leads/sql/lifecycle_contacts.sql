-- One row is a contact made from a lead.
select
    v.contact_id,
    v.account_id,
    l.lead_id,
    coalesce(l.full_name, nullif(concat_ws(' ', l.first_name, l.last_name), ''), l.email, l.phone) as full_name,
    l.first_name,
    l.last_name,
    p.email,
    l.phone,
    l.title,
    l.language,
    l.birth_date,
    l.owner,
    $now as created_at,
    $now as updated_at
from conversions as v
join leads as l on l.lead_id = v.lead_id
join picked as p on p.lead_id = v.lead_id
where v.contact_made
