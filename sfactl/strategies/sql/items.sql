-- One row per decision of a walk that is kept with the plan: all but those who go on waiting as before. Sorted.
select lead_id, step, action, reason, due_at, channel, recipient, message_key, owner, inputs, rotation, version, to_step,
    since, sender, step_no,
    md5(concat_ws(chr(31), cast(lead_id as varchar), cast(rotation as varchar), version, step, action,
        coalesce(reason, ''), coalesce(to_step, ''), coalesce(cast(since as varchar), ''), coalesce(channel, ''),
        coalesce(recipient, ''), coalesce(owner, ''), coalesce(inputs, ''), coalesce(sender, ''))) as row_hash
from walked
where not (action = 'wait' and arrived is not null and channel is null)
order by lead_id, rotation, step_no
