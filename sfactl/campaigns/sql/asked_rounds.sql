-- One row per person and round that $campaign has begun, by the settled message of its first step, $step; also after the time
-- of a plan, so that one which is applied late sees what was sent meanwhile. The last part of a key is its rotation.
select lead_id, try_cast(regexp_extract(message_key, '[0-9]+$') as bigint) as rotation, max("at") as "at",
    max(case when state = 'accepted' then "at" end) as accepted_at
from messages
where campaign = $campaign and step = $step and lead_id is not null
group by 1, 2
