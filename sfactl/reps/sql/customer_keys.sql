-- One row is a key of a customer by which the lead may collide with another.
select l.lead_id, 'company' as kind, l.company_key as key from leads as l where nullif(l.company_key, '') is not null
union all
select l.lead_id, 'tax_id', lower(regexp_replace(l.tax_id, '[^0-9A-Za-z]', '', 'g')) from leads as l where nullif(l.tax_id, '') is not null
union all
select l.lead_id, 'phone', l.phone from leads as l where nullif(l.phone, '') is not null
union all
select l.lead_id, 'email', lower(l.email) from leads as l where nullif(l.email, '') is not null
