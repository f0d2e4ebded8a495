-- One row per decision of a walk that is kept with the plan: all but those who go on waiting as before.
select lead_id, step, action, reason, due_at, channel, recipient, message_key, owner, inputs, rotation, version, to_step,
    since, sender, step_no
from walked
where not (action = 'wait' and arrived is not null and channel is null)
