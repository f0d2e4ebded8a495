-- One row: the newest word about $topic or about all mail that the people in the view consents said.
select c.lead_id, c."at", c.kind, c.topic, t.channel, t.campaign, t.text
from consents c
left join touchpoints t on t.lead_id = c.lead_id and t."at" = c."at" and t.kind = c.kind
    and t.topic is not distinct from c.topic
where c.kind in ('unsubscribe', 'subscribe', 'consent') and coalesce(c.topic, '') in ('', $topic)
order by c."at" desc, case c.kind when 'unsubscribe' then 0 else 1 end
limit 1
