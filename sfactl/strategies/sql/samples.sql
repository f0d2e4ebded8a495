-- One row per sampled lead of each step, action and reason of a plan: the same ones each time.
select step, action, reason, to_step, lead_id, coalesce(recipient, owner) as "for", name
from (
    select i.*, coalesce(l.company, l.full_name, l.email) as name,
        row_number() over (partition by i.step, i.action, i.reason, i.to_step order by md5(cast(i.lead_id as varchar)))
            as place
    from plan_items i
    left join leads l on l.lead_id = i.lead_id
    where i.plan_id = $plan and ($action = '' or i.action = $action)
)
where place <= $sample
order by step_no, action, reason, to_step, lead_id
