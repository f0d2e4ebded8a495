-- One row is a lead to convert, or converted before (account_id), with the keys that lead to an account; empty is null.
-- The domain is that of the mail address, else of the web site; free mail is taken out later.
select
    lead_id,
    account_id,
    nullif(trim(tax_id), '') as tax_id,
    nullif(trim(company_key), '') as company_key,
    nullif(trim(lower(email)), '') as email,
    -- Not split_part: the engine fails to bind it over a column that is null throughout.
    nullif(regexp_extract(lower(trim(email)), '@(.+)$', 1), '') as mail,
    nullif(regexp_extract(lower(trim(website)), '^(?:[a-z]+://)?(?:www\.)?([^/:?#\s]+\.[^/:?#\s]+)', 1), '') as site
from leads
where lead_id in (select lead_id from wanted) or account_id is not null
