-- One row: all cases of the process together.
select
    cast(count(*) as bigint) as cases,
    cast(coalesce(sum(case when is_over then 1 else 0 end), 0) as bigint) as over_cases,
    cast(coalesce(sum(case when d.case_id is null then 1 else 0 end), 0) as bigint) as fitting,
    cast(coalesce(sum(events), 0) as bigint) as events,
    cast(coalesce(sum(steps), 0) as bigint) as steps,
    cast(coalesce(sum(wrong), 0) as bigint) as wrong,
    cast(coalesce(sum(worked_us), 0) as bigint) as total_us
from replayed c
left join (select distinct case_id from deviations) d on d.case_id = c.case_id
