-- One row is a lead without an account yet and the account of the temporary table pool that fits it best.
with waiting as (select * from picked where lead_id not in (select lead_id from homes)),
fitting as (
    select w.lead_id, p.ref, 'tax id' as found_by, 1 as strength, w.tax_id, p.account_tax_id, true as may
    from waiting as w
    join pool as p on p.tax_id = w.tax_id
    union all
    select w.lead_id, p.ref, 'company name', 2, w.tax_id, p.account_tax_id, true
    from waiting as w
    join pool as p on p.company_key = w.company_key
    union all
    select w.lead_id, p.ref, 'domain', 3, w.tax_id, p.account_tax_id, true
    from waiting as w
    join pool as p on p.domain = w.domain
    union all
    -- The same person at another company is another matter.
    select w.lead_id, p.ref, 'e-mail', 4, w.tax_id, p.account_tax_id, w.company_key is null
    from waiting as w
    join pool as p on p.email = w.email
),
best as (
    select *
    from fitting
    where may and (tax_id is null or account_tax_id is null or tax_id = account_tax_id)
    qualify row_number() over (
        partition by lead_id order by strength, case when ref < 0 then 1 else 0 end, abs(ref)
    ) = 1
)
select lead_id, ref, found_by
from best
-- Of several tax ids that claim an account without one, the first gets it.
qualify tax_id is null
    or account_tax_id is not null
    or tax_id = first_value(tax_id) over (
        partition by ref order by case when tax_id is null then 1 else 0 end, lead_id
    )
