-- One row is a lead whose fate is told by the truth.
select
    p.person_no + 1 as lead_id,
    p.email,
    p.full_name,
    p.company,
    p.source,
    p.country,
    p.channel,
    p.first_contact_at::date as first_contact_on,
    p.first_contact_at as created_at,
    case when t.converts then 'converted' when t.accepts then 'sql' when t.intent > -0.3 then 'mql' else 'new' end as status,
    case when t.converts then p.first_contact_at + to_days(t.accept_days + 4) end as converted_at,
    case when t.converts then p.person_no + 1 end as opportunity_id
from person p
join truth t using (person_no)
