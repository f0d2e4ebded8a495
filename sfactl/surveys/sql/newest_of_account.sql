-- One row per account: its newest answer that counts (the table counted), for whom to talk to.
select coalesce(a.name, l.company) as account, c.lead_id, l.contact_id, coalesce(l.account_id, c.account_id) as account_id,
    l.owner, c."at"
from counted c
join leads l on l.lead_id = c.lead_id
left join accounts a on a.account_id = l.account_id
where c.on_scale and coalesce(a.name, l.company) is not null
qualify row_number() over (partition by coalesce(a.name, l.company) order by c."at" desc, c.lead_id) = 1
