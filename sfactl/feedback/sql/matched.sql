-- One row per notice that is not known yet, with the message it is about (by its Message-ID) and the lead it went to: that of
-- the message, else the lead with this address.
with told as (
    select n.*, m.campaign, m.step, m.lead_id as sent_to
    from notices n
    left join messages m on n.original <> '' and left(sha256(m.message_key), 40) = n.original
    qualify row_number() over (partition by n.event_id order by m."at" desc) = 1
),
addressed as (
    select lower(email) as address, min(lead_id) as lead_id from leads where email is not null group by lower(email)
)
select t.event_id, t."at", t.kind, coalesce(t.sent_to, a.lead_id) as lead_id, 'inbound' as direction, 'email' as channel,
    t.campaign, t.step, t.reason as content, t.weight as value, t.diagnosis as text, t.recipient
from told t
left join addressed a on a.address = t.recipient
left join touchpoints k on k.event_id = t.event_id
where k.event_id is null
order by t."at", t.event_id
