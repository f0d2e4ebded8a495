-- One row per topic that somebody ticked in a form whose posting is there, unless it is known already.
select
    'asked:' || g.post || ':' || g.topic as event_id,
    t."at",
    'subscribe' as kind,
    t.lead_id,
    t.contact_id,
    t.account_id,
    'inbound' as direction,
    t.channel,
    t.content,
    t.page,
    g.topic
from given_asked g
join touchpoints t on t.event_id like 'form:%' and right(t.event_id, length(g.post) + 1) = ':' || g.post
where 'asked:' || g.post || ':' || g.topic not in (select event_id from touchpoints where event_id like 'asked:%')
