-- One row is a lead to convert with the keys by which its account and contact are looked for; empty keys are null.
with keyed as (
    select
        lead_id,
        nullif(trim(tax_id), '') as tax_id,
        nullif(trim(company_key), '') as company_key,
        nullif(trim(lower(email)), '') as email,
        nullif(split_part(lower(trim(email)), '@', 2), '') as mail_domain,
        nullif(regexp_extract(lower(trim(website)), '^(?:[a-z]+://)?(?:www\.)?([^/:?#\s]+\.[^/:?#\s]+)', 1), '') as site
    from leads
    where lead_id in (select lead_id from wanted)
)
select
    lead_id,
    tax_id,
    company_key,
    email,
    coalesce(
        case when mail_domain in (select domain from free_mail) then null else mail_domain end,
        case when site in (select domain from free_mail) then null else site end
    ) as domain
from keyed
