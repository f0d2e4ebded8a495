-- One row is a known account with its keys, once for each e-mail of its contacts among those looked for.
select
    a.account_id as ref,
    false as made,
    nullif(trim(a.tax_id), '') as tax_id,
    nullif(trim(a.company_key), '') as company_key,
    nullif(lower(a.domain), '') as domain,
    c.email
from accounts as a
left join (
    select distinct account_id, email
    from contacts
    where email in (select email from picked)
) as c on c.account_id = a.account_id
