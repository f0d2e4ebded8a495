-- One row per decision of a walk that is kept with the plan, in an order that hangs on nothing else: a hash of all that
-- it says but when it is planned for, and but its key, which names the workspace.
select md5(concat_ws(chr(31), cast(lead_id as varchar), cast(rotation as varchar), left(version, 16), step, action,
    coalesce(reason, ''), coalesce(to_step, ''), coalesce(cast(since as varchar), ''), coalesce(channel, ''),
    coalesce(recipient, ''), coalesce(owner, ''), coalesce(inputs, ''), coalesce(sender, ''))) as row_hash
from walked
where not (action = 'wait' and arrived is not null and channel is null)
order by lead_id, rotation, step_no
