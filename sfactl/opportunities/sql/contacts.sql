-- One row is a contact with the name of the account.
select
    c.contact_id,
    c.full_name,
    c.title,
    a.name as account,
    c.email,
    c.phone,
    c.owner
from contacts as c
left join accounts as a on a.account_id = c.account_id
where cast($owner as varchar) is null or c.owner = $owner
order by c.contact_id
