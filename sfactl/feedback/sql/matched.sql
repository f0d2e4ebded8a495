-- One row per notice that is not known yet, with the message it is about (by its Message-ID, or the provider's id) and the
-- lead it went to: that of the message, else the lead with this address. written_to is where that message went, recipient who the
-- notice is about: another one behind a forwarding, nobody in a complaint that came without the address.
with mine as (
    select left(sha256(message_key), 40) as id, message_key, campaign, step, lead_id, recipient, "at" from messages
    union all
    select provider_id as id, message_key, campaign, step, lead_id, recipient, "at" from messages where provider_id <> ''
),
told as (
    select n.* replace (nullif(n.recipient, '') as recipient), m.campaign, m.step, m.message_key, m.lead_id as sent_to,
        lower(m.recipient) as written_to
    from notices n
    left join mine m on m.id = n.original
    qualify row_number() over (partition by n.event_id order by m."at" desc, m.message_key) = 1
),
addressed as (
    select lower(trim(email)) as address, min(lead_id) as lead_id from leads where email is not null group by 1
)
select t.event_id, t."at", t.kind, l.lead_id, l.contact_id, l.account_id, 'inbound' as direction, 'email' as channel,
    t.campaign, t.step, t.message_key, t.reason as content, t.weight as value, t.diagnosis as text, t.recipient,
    t.written_to
from told t
left join addressed a on a.address = t.recipient
left join record_aliases x on x.entity = 'lead' and x.id = coalesce(t.sent_to, a.lead_id)
left join leads l on l.lead_id = coalesce(x.root_id, t.sent_to, a.lead_id)
left join touchpoints k on k.event_id = t.event_id
where k.event_id is null
order by t."at", t.event_id
