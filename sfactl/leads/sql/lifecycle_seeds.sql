-- One row is a lead that no account fits and that is the first with its keys: its account is made from it, and bears
-- the number of the lead, negative, until it has its own. Those with a tax id go first, one for each tax id; then, of
-- the others, those that are the first with every key of theirs.
with waiting as (select * from picked where lead_id not in (select lead_id from homes)),
placed as (
    select
        *,
        max(case when tax_id is null then 0 else 1 end) over () as some_taxed,
        min(lead_id) over (partition by coalesce('t:' || tax_id, 'l:' || lead_id)) as first_tax,
        min(lead_id) over (partition by coalesce('c:' || company_key, 'l:' || lead_id)) as first_company,
        min(lead_id) over (partition by coalesce('d:' || domain, 'l:' || lead_id)) as first_domain,
        -- An address binds only those of whom no company is known.
        min(lead_id) over (
            partition by case when company_key is null and email is not null then 'e:' || email else 'l:' || lead_id end
        ) as first_email
    from waiting
)
select lead_id, -lead_id as ref, 'new' as found_by
from placed
where (some_taxed = 1 and tax_id is not null and lead_id = first_tax)
    or (some_taxed = 0 and lead_id = first_company and lead_id = first_domain and lead_id = first_email)
