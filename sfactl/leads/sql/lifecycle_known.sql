-- One row is a set of keys by which a known account goes: its own, those of each lead it was made or found for, and the
-- addresses of its contacts.
select
    account_id as ref,
    nullif(trim(tax_id), '') as tax_id,
    nullif(trim(company_key), '') as company_key,
    nullif(lower(domain), '') as domain,
    cast(null as varchar) as email
from accounts
union all
select
    account_id,
    tax_id,
    company_key,
    coalesce(
        case when mail not in (select domain from free_mail) then mail end,
        case when site not in (select domain from free_mail) then site end
    ),
    email
from keys
where account_id is not null and lead_id not in (select lead_id from wanted)
union all
select
    account_id,
    null,
    null,
    nullif(regexp_extract(email, '@(.+)$', 1), ''),
    email
from contacts
where account_id is not null and email is not null
    and (
        email in (select email from picked)
        or regexp_extract(email, '@(.+)$', 1) in (select domain from picked)
    )
