-- One row per item of the plan in plan_rows, with a hash of all that it says (row_hash), sorted by recipient and step.
select *,
    md5(concat_ws(chr(31), cast(lead_id as varchar), step, action, coalesce(reason, ''),
        coalesce(cast(due_at as varchar), ''), coalesce(channel, ''), coalesce(recipient, ''), coalesce(owner, ''),
        coalesce(inputs, ''), cast(rotation as varchar))) as row_hash
from plan_rows
order by lead_id, step_no
