-- One row per invitation of $survey that was accepted, or handed to a person who asks: whom, when, and whether it was answered
-- (the table counted).
select m.lead_id, m.rotation, m.day, c.lead_id is not null as is_answered
from (
    select lead_id, try_cast(regexp_extract(message_key, '[0-9]+$') as bigint) as rotation,
        min(cast(timezone($zone, timezone('UTC', "at")) as date)) as day
    from messages
    where campaign = $survey and state in ('accepted', 'handed') and lead_id is not null
    group by 1, 2
) m
left join (select distinct lead_id, rotation from counted where rotation is not null) c
    on c.lead_id = m.lead_id and c.rotation = m.rotation
