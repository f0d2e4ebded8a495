-- One row is the opportunity of a lead to convert; it keeps the source and campaign that brought the lead.
select
    v.opportunity_id,
    coalesce(l.company, l.full_name, l.email, l.phone, 'Lead ' || l.lead_id)
        || coalesce(' – ' || l.product_interest, '') as name,
    v.account_id,
    v.contact_id,
    l.lead_id,
    l.owner,
    $pipeline as pipeline,
    $stage as stage,
    'open' as category,
    $probability as probability,
    coalesce(cast($amount as decimal(18, 4)), l.budget) as amount,
    $currency as currency,
    cast($close_date as date) as close_date,
    l.source,
    l.campaign,
    l.product_interest,
    cast(1 as bigint) as cycle_no,
    $now as created_at,
    $now as updated_at
from conversions as v
join leads as l on l.lead_id = v.lead_id
