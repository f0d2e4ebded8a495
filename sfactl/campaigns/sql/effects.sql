-- One row per message in the ledger (the table claimed), with the lead that its recipient is now.
select c.message_key, c.campaign, c.step, coalesce(a.root_id, c.lead_id) as lead_id, c.recipient, c.state, c."at", c.channel
from claimed c
left join record_aliases a on a.entity = 'lead' and a.id = c.lead_id
