-- One row is a case in the state asked for: from when to when, where it stands, and how it keeps to the process.
select
    $prefix || c.case_id as "case",
    c.began_at,
    c.last_at,
    date_diff('microsecond', c.began_at, c.last_at) / 86400000000.0 as took_days,
    c.events,
    n.name as stands_at,
    case when c.is_over then 'over' else 'running' end as state,
    case when c.steps > 0 then 1 - c.wrong / cast(c.steps as double) end as fitness_rate,
    cast(coalesce(d.deviations, 0) as bigint) as deviations
from replayed c
left join activity_name n on n.number = c.last_number
left join (select case_id, count(*) as deviations from deviations group by case_id) d on d.case_id = c.case_id
where
    $state = 'all'
    or ($state = 'over' and c.is_over)
    or ($state = 'running' and not c.is_over)
    or ($state = 'deviating' and d.deviations > 0)
order by coalesce(d.deviations, 0) desc, c.began_at, c.case_id
