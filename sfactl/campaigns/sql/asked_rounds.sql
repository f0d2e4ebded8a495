-- One row per person and round that $campaign has begun until $at, by the settled message of its first step, $step. The last
-- part of a key is its rotation.
select lead_id, try_cast(regexp_extract(message_key, '[0-9]+$') as bigint) as rotation, max("at") as "at",
    max(case when state = 'accepted' then "at" end) as accepted_at
from messages
where campaign = $campaign and step = $step and "at" <= $at and lead_id is not null
group by 1, 2
