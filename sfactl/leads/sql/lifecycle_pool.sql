-- One row is a set of keys by which an account goes, known or to be made (negative), and the one tax id it may have.
select
    ref,
    tax_id,
    company_key,
    domain,
    email,
    min(tax_id) over (partition by ref) as account_tax_id
from (
    select ref, tax_id, company_key, domain, email from known
    union all
    select h.ref, p.tax_id, p.company_key, p.domain, p.email
    from homes as h
    join picked as p on p.lead_id = h.lead_id
) as going_by
