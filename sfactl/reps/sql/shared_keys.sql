-- One row is a key of a customer that at least two leads of candidates have, of those whom nobody is tied to.
-- Reads bonds. The kind says which tie the key makes: the same person, or the same company.
with asking as (
    select l.lead_id, nullif(l.company_key, '') as company_key, nullif(l.tax_id, '') as tax_id,
        nullif(lower(l.email), '') as email, nullif(l.phone, '') as phone
    from leads as l
    join candidates as c on c.lead_id = l.lead_id
    left join bonds as b on b.lead_id = l.lead_id
    where b.lead_id is null
),
keys as (
    select lead_id, 'person' as bond, 'email:' || email as key from asking where email is not null
    union all
    select lead_id, 'person', 'phone:' || phone from asking where phone is not null
    union all
    select lead_id, 'company', 'tax:' || tax_id from asking where tax_id is not null
    union all
    select lead_id, 'company', 'company:' || company_key from asking where company_key is not null
)
select k.lead_id, k.bond, k.key
from keys as k
where list_contains($bonds, k.bond)
qualify count(*) over (partition by k.bond, k.key) > 1
order by k.lead_id, k.bond, k.key
