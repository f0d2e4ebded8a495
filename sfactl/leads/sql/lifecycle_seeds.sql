-- One row is a lead that no account fits and that is the first with its keys: its account is made from it.
-- First those with a tax id ($taxed), one for each; then, of the others, those who are first with every key of theirs.
with waiting as (
    select * from picked where lead_id not in (select lead_id from homes) and (tax_id is not null) = $taxed
),
placed as (
    select
        *,
        min(lead_id) over (partition by coalesce('t:' || tax_id, 'l:' || lead_id)) as first_tax,
        min(lead_id) over (partition by coalesce('c:' || company_key, 'l:' || lead_id)) as first_company,
        min(lead_id) over (partition by coalesce('d:' || domain, 'l:' || lead_id)) as first_domain,
        -- An address binds only those of whom no company is known.
        min(lead_id) over (
            partition by case when company_key is null and email is not null then 'e:' || email else 'l:' || lead_id end
        ) as first_email
    from waiting
)
-- A made account bears the number of its lead, negative, until its own number is known.
select -lead_id as ref, true as made, tax_id, company_key, domain, email
from placed
where lead_id = first_tax
    and (tax_id is not null or (lead_id = first_company and lead_id = first_domain and lead_id = first_email))
