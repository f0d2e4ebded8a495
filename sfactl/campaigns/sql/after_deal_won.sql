-- One row per deal that was won and the lead whom it goes back to, itself or through its contact.
select coalesce(o.lead_id, c.lead_id) as lead_id, o.closed_at as "at"
from opportunities o
left join contacts c on c.contact_id = o.contact_id
where coalesce(o.lead_id, c.lead_id) is not null and o.category = 'won' and o.closed_at is not null
