-- One row per step, action and reason of those whom the plan $plan did not reach: how many people, and when the first may be.
select step, action, coalesce(reason, '') as reason, count(*) as people, min(due_at) as next_at
from plan_items
where plan_id = $plan and action in ('wait', 'skip', 'hold') and coalesce(reason, '') not in ('already sent', 'already made')
group by 1, 2, 3
order by 1, 2, 4 desc, 3
