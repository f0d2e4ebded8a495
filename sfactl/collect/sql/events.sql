-- One row per act that becomes a touchpoint now: it is not known yet, its lead is, and it is either somebody's word or so
-- old ($settled) that all is there by which scanners are told. Reads judged: acts with the reason why it was a scanner.
-- What a scanner does comes from nobody, so it has no direction: it wakes no lead and is no sign of life.
select
    j.id as event_id,
    j."at",
    case
        when j.deed in ('unsubscribe', 'subscribe', 'consent') then j.deed
        when j.deed = 'open' then case when j.scanner is null then 'email_open' else 'bot_open' end
        else case when j.scanner is null then 'email_click' else 'bot_click' end
    end as kind,
    coalesce(r.root_id, j.lead_id) as lead_id,
    l.contact_id,
    l.account_id,
    case when j.scanner is null then 'inbound' end as direction,
    coalesce(m.channel, 'email') as channel,
    nullif(j.campaign, '') as campaign,
    nullif(j.step, '') as step,
    nullif(j.target, '') as content,
    j.scanner as text,
    nullif(j.target, '') as page,
    j.message_key,
    nullif(j.topic, '') as topic
from judged j
left join record_aliases r on r.entity = 'lead' and r.id = j.lead_id
join leads l on l.lead_id = coalesce(r.root_id, j.lead_id)
left join (select message_key, max(channel) as channel from messages group by message_key) m
    on m.message_key = j.message_key
where j.deed <> 'look'
    and (j.deed in ('unsubscribe', 'subscribe', 'consent') or j."at" <= $settled)
    and j.id not in (select event_id from known)
order by j."at", j.id
