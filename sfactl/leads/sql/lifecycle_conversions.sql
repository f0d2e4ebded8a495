-- One row is a lead to convert with the numbers of its account, contact and opportunity, and how each was found.
with made_accounts as (
    select ref, $first_account + row_number() over (order by -ref) - 1 as account_id
    from (select distinct ref from homes where ref < 0) as m
),
placed as (
    select h.lead_id, coalesce(m.account_id, h.ref) as account_id, h.ref, h.found_by, p.email
    from homes as h
    join picked as p on p.lead_id = h.lead_id
    left join made_accounts as m on m.ref = h.ref
),
known as (
    select p.lead_id, min(c.contact_id) as contact_id
    from placed as p
    join contacts as c on c.account_id = p.account_id and c.email = p.email
    group by p.lead_id
),
people as (
    -- Two leads with one address at one account are one person, met first as the lower number.
    select
        p.*,
        k.contact_id as known_contact,
        min(p.lead_id) over (partition by p.account_id, coalesce(p.email, 'lead:' || p.lead_id)) as person
    from placed as p
    left join known as k on k.lead_id = p.lead_id
),
made_contacts as (
    select person, $first_contact + row_number() over (order by person) - 1 as contact_id
    from (select distinct person from people where known_contact is null) as n
)
select
    p.lead_id,
    p.account_id,
    case when p.ref = -p.lead_id then 'new' else p.found_by end as account_by,
    p.ref = -p.lead_id as account_made,
    coalesce(p.known_contact, n.contact_id) as contact_id,
    p.known_contact is null and p.person = p.lead_id as contact_made,
    $first_opportunity + row_number() over (order by p.lead_id) - 1 as opportunity_id
from people as p
left join made_contacts as n on n.person = p.person
