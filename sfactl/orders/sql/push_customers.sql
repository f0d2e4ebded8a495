-- One row is a customer as the ERP should know it: an account, or a lead that ordered without one.
select cast(a.account_id as varchar) as id, coalesce(a.name, 'Account ' || a.account_id) as name,
       coalesce(a.tax_id, '') as tax_id, coalesce(c.email, '') as email, coalesce(a.phone, c.phone, '') as phone,
       coalesce(a.street, '') as street, coalesce(a.city, '') as city, coalesce(a.postal_code, '') as postal_code,
       coalesce(a.country, '') as country
from accounts a
left join (
    select account_id, email, phone
    from contacts
    where email is not null
    qualify row_number() over (partition by account_id order by contact_id) = 1
) c on c.account_id = a.account_id
where list_contains($accounts, a.account_id)
union all
select 'lead-' || l.lead_id, coalesce(l.company, l.full_name, 'Lead ' || l.lead_id), coalesce(l.tax_id, ''),
       coalesce(l.email, ''), coalesce(l.phone, ''), coalesce(l.street, ''), coalesce(l.city, ''),
       coalesce(l.postal_code, ''), coalesce(l.country, '')
from leads l
where list_contains($leads, l.lead_id)
order by id
