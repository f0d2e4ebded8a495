-- One row per lead that the strategy did something with in the period: what it got, and how it ended last.
with sent as (select lead_id, count(*) as messages from sim_sent where "at" >= $start group by lead_id),
made as (select lead_id, count(*) as tasks from sim_tasks where created_at >= $start group by lead_id),
ways as (
    select lead_id, count(*) filter (where entered_at >= $start) as entries,
        max(case when state = 'control' then 1 else 0 end) = 1 as is_control,
        max(case when reason = 'goal' and left_at >= $start then 1 else 0 end) = 1 as is_goal,
        min(entered_at) as entered_at, max(left_at) as left_at
    from sim_enrolments
    where left_at is null or left_at >= $start
    group by lead_id
)
select w.lead_id, w.entries, coalesce(s.messages, 0) as messages, coalesce(m.tasks, 0) as tasks, w.is_control, w.is_goal,
    w.entered_at, w.left_at
from ways w
left join sent s on s.lead_id = w.lead_id
left join made m on m.lead_id = w.lead_id
order by w.lead_id
