-- One row per quote that was accepted and the lead whom it goes back to, itself or through its contact.
select coalesce(q.lead_id, c.lead_id) as lead_id, q.accepted_at as "at"
from quotes q
left join contacts c on c.contact_id = q.contact_id
where coalesce(q.lead_id, c.lead_id) is not null and q.state = 'accepted' and q.accepted_at is not null
