-- One row per step, action and reason of a walk: how many leads, which reps or senders, and when the first of those who
-- wait goes on. Those who wait as before are counted too.
select step, action, coalesce(reason, '') as reason, coalesce(max(to_step), '') as to_step, count(*) as leads,
    min(due_at) as next_at, count(distinct owner) as reps, coalesce(max(sender), '') as sender,
    coalesce(max(channel), '') as channel, min(step_no) as step_no
from walked
group by step, action, coalesce(reason, ''), coalesce(to_step, '')
order by min(step_no), action, count(*) desc, coalesce(reason, ''), coalesce(max(to_step), '')
