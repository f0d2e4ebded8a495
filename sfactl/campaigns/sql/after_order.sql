-- One row per order that stands and the lead whom it goes back to, itself or through its contact.
select coalesce(o.lead_id, c.lead_id) as lead_id, o."at"
from orders o
left join contacts c on c.contact_id = o.contact_id
where coalesce(o.lead_id, c.lead_id) is not null and o."at" is not null and coalesce(o.status, '') not in ('cancelled', 'refund')
