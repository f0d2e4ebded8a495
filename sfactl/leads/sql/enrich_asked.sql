-- One row is a lead that a provider is asked about: its fields, its number as id, and its domains, never of free mail.
select
    l.lead_id as id,
    l.* replace (coalesce(l.country, nullif($country, '')) as country),
    case when d.mail not in (select domain from free_mail) then d.mail end as email_domain,
    case when d.site not in (select domain from free_mail) then d.site end as website_domain
from leads as l
join domains as d on d.id = l.lead_id
order by l.lead_id
