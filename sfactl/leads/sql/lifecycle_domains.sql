-- One row is a mail or web domain among the leads to convert.
select distinct domain
from (
    select split_part(lower(trim(email)), '@', 2) as domain from leads where lead_id in (select lead_id from wanted)
    union all
    select regexp_extract(lower(trim(website)), '^(?:[a-z]+://)?(?:www\.)?([^/:?#\s]+\.[^/:?#\s]+)', 1)
    from leads
    where lead_id in (select lead_id from wanted)
) as named
where domain <> ''
