-- One row is an account made from the lead that is the first of its company.
select
    v.account_id,
    coalesce(l.company, l.full_name, l.email, l.phone, 'Lead ' || l.lead_id) as name,
    p.company_key,
    p.tax_id,
    p.domain,
    l.industry,
    l.employees,
    l.street,
    l.city,
    l.region,
    l.postal_code,
    l.country,
    l.phone,
    l.website,
    l.owner,
    l.source,
    l.lead_id,
    $now as created_at,
    $now as updated_at
from conversions as v
join leads as l on l.lead_id = v.lead_id
join picked as p on p.lead_id = v.lead_id
where v.account_made
