-- One row is a converted lead, whole.
select l.* replace (
    'converted' as status,
    $now as converted_at,
    $now as updated_at,
    v.account_id as account_id,
    v.contact_id as contact_id,
    v.opportunity_id as opportunity_id
)
from leads as l
join conversions as v on v.lead_id = l.lead_id
