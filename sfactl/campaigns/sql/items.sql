-- One row per item of a plan; with $sample above 0 only that many of each step and action, the same ones each time.
select lead_id, step, action, reason, due_at, recipient, owner
from (
    select lead_id, step, action, reason, due_at, recipient, owner,
        row_number() over (partition by step, action order by md5(cast(lead_id as varchar))) as place
    from plan_items
    where plan_id = $plan and ($action = '' or action = $action)
)
where $sample = 0 or place <= $sample
order by step, action, lead_id
