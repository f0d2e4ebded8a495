-- One row is a lead to convert with the keys by which its account and contact are looked for.
select
    lead_id,
    tax_id,
    company_key,
    email,
    coalesce(
        case when mail not in (select domain from free_mail) then mail end,
        case when site not in (select domain from free_mail) then site end
    ) as domain
from keys
where lead_id in (select lead_id from wanted)
