-- One row per case that is closed and the lead whose it is, itself or through its contact.
select coalesce(k.lead_id, c.lead_id) as lead_id, k.closed_at as "at"
from cases k
left join contacts c on c.contact_id = k.contact_id
where coalesce(k.lead_id, c.lead_id) is not null and k.closed_at is not null
