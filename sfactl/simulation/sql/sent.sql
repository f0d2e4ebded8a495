-- One row per message of the strategy that is settled: what the simulation keeps of it.
select lead_id, try_cast(regexp_extract(message_key, '[0-9]+$') as bigint) as rotation, step, channel, recipient, sender,
    state, "at"
from messages
where campaign = $name
