-- One row is a lead without an account yet and the account of the temporary table pool that fits it best.
with waiting as (select * from picked where lead_id not in (select lead_id from homes)),
fitting as (
    select w.lead_id, p.ref, p.made, 'tax id' as found_by, 1 as strength
    from waiting as w
    join pool as p on p.tax_id = w.tax_id
    union all
    select w.lead_id, p.ref, p.made, 'company name', 2
    from waiting as w
    join pool as p on p.company_key = w.company_key
    where p.tax_id is null or w.tax_id is null
    union all
    select w.lead_id, p.ref, p.made, 'domain', 3
    from waiting as w
    join pool as p on p.domain = w.domain
    where p.tax_id is null or w.tax_id is null or p.tax_id = w.tax_id
    union all
    select w.lead_id, p.ref, p.made, 'e-mail', 4
    from waiting as w
    join pool as p on p.email = w.email
    where (p.tax_id is null or w.tax_id is null) and (p.company_key is null or w.company_key is null)
)
select lead_id, ref, found_by
from fitting
qualify row_number() over (partition by lead_id order by strength, made, abs(ref)) = 1
