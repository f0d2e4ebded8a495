-- One row per word that the leads of the table chosen said about mail, oldest first.
select t."at", t.lead_id, case t.kind when 'consent' then 'granted' when 'subscribe' then 'asked' else 'withdrawn' end as word,
    coalesce(t.topic, 'all') as topic, t.channel, t.campaign, t.message_key, t.text as evidence, t.actor
from touchpoints t
join chosen c on c.lead_id = t.lead_id
where t.kind in ('unsubscribe', 'subscribe', 'consent')
order by t."at", t.event_id
