-- One row is a chosen lead with the domains of its mail address and of its web site.
select
    lead_id as id,
    nullif(regexp_extract(lower(trim(email)), '@(.+)$', 1), '') as mail,
    nullif(regexp_extract(lower(trim(website)), '^(?:[a-z]+://)?(?:www\.)?([^/:?#\s]+\.[^/:?#\s]+)', 1), '') as site
from leads
where lead_id in (select lead_id from chosen)
