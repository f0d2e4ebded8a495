-- One row is a step: how many began it, how many have done it, and after how long half and nine tenths had.
-- Kaplan, E. L., Meier, P. (1958), doi:10.1080/01621459.1958.10501452: who has not done it yet counts as long as watched.
with counted as (
    select
        step_no,
        step,
        part,
        seconds,
        sum(done) as events,
        count(*) as leaving
    from span
    group by step_no, step, part, seconds
),

risk as (
    select
        *,
        sum(leaving) over (
            partition by step_no, part order by seconds desc rows between unbounded preceding and current row
        ) as at_risk
    from counted
),

survived as (
    select
        *,
        max(case when events = at_risk then 1 else 0 end) over (
            partition by step_no, part order by seconds rows between unbounded preceding and current row
        ) as all_gone,
        exp(
            sum(case when events < at_risk then ln(1.0 - events / cast(at_risk as double)) end) over (
                partition by step_no, part order by seconds rows between unbounded preceding and current row
            )
        ) as survival
    from risk
)

select
    step_no,
    step,
    part,
    cast(sum(leaving) as bigint) as begun,
    cast(sum(events) as bigint) as done,
    cast(sum(leaving) - sum(events) as bigint) as waiting,
    -- The product of many factors ends a hair beside a half; the hair must not cost a step.
    min(case when all_gone = 1 or survival <= 0.5 + 1e-9 then seconds end) as median_s,
    min(case when all_gone = 1 or survival <= 0.1 + 1e-9 then seconds end) as p90_s
from survived
group by step_no, step, part
order by step_no, part
