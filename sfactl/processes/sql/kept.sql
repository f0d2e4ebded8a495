-- One row is a deadline that an event of a case set: until when, when it was done, and what became of it by $now.
with tagged as (
    select
        d.deadline,
        d.months,
        d.micros,
        t.case_id,
        t.place,
        t.number,
        t.moment,
        t.dataset,
        t.row_key,
        t.number = d.number_from as sets,
        t.number = d.number_to as meets,
        t.number <> d.number_from and t.number <> d.number_to as voids
    from trace t
    inner join deadline_part d on d.number = t.number
),

looked as (
    select
        *,
        min(case when meets then place end) over (
            partition by deadline, case_id order by place rows between 1 following and unbounded following
        ) as met_place,
        min(case when meets then moment end) over (
            partition by deadline, case_id order by place rows between 1 following and unbounded following
        ) as met_at,
        min(case when voids then moment end) over (
            partition by deadline, case_id order by place rows between 1 following and unbounded following
        ) as voided_at
    from tagged
),

due as (
    select
        *,
        moment + to_months(months) + to_microseconds(micros) as due_at
    from looked
    where sets
)

select
    deadline,
    case_id,
    place,
    dataset,
    row_key,
    moment as set_at,
    due_at,
    met_at,
    met_place,
    case
        when voided_at <= due_at and (met_at is null or voided_at < met_at) then 'void'
        when met_at <= due_at then 'kept'
        when met_at is not null then 'late'
        when due_at < cast($now as timestamp) then 'missed'
        else 'waiting'
    end as state,
    cast(
        case
            when met_at is not null then date_diff('microsecond', due_at, met_at)
            else date_diff('microsecond', due_at, cast($now as timestamp))
        end as bigint
    ) as over_us
from due
