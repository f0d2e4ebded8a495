-- One row per lead and rotation for whom $campaign is over, and by what: the first of endings that came after its first
-- message to them. Reads consents: touchpoints, or those that count here. The last part of a key is its rotation.
with begun as (
    select lead_id, try_cast(regexp_extract(message_key, '[0-9]+$') as bigint) as rotation, min("at") as since
    from messages
    where campaign = $campaign and state = 'accepted'
    group by 1, 2
)
select b.lead_id, b.rotation, min(c.kind) as ending
from consents c
join endings x on x.kind = c.kind
join begun b on b.lead_id = c.lead_id and c."at" >= b.since
group by b.lead_id, b.rotation
