-- One row is an event of a case, in order. wait_us is the time since the event before that has a place in the order;
-- an event that only has a day stands as late on it as the activities declared before it, never before its day.
with timed as (
    select
        number,
        case_id,
        actor,
        dataset,
        row_key,
        told_on is not null as whole_day,
        coalesce(told_at, timezone('UTC', timezone($zone, cast(told_on as timestamp)))) as moment,
        coalesce(told_on, cast(timezone($zone, timezone('UTC', told_at)) as date)) as day
    from told
    where case_id is not null
),

placed as (
    select
        t.number,
        t.case_id,
        t.actor,
        t.dataset,
        t.row_key,
        a.anytime,
        case
            when t.whole_day then greatest(
                t.moment,
                coalesce(
                    max(case when t.whole_day then null else t.moment end) over (
                        partition by t.case_id, t.day order by t.number
                    ),
                    t.moment
                )
            )
            else t.moment
        end as moment
    from timed t
    inner join activity a on a.number = t.number
),

numbered as (
    select
        *,
        row_number() over (partition by case_id order by moment, number, row_key, dataset) as place,
        count(*) over (partition by case_id, number) as times
    from placed
),

ordered as (
    select
        case_id,
        place,
        lag(number, 1, 0) over (partition by case_id order by place) as number_before,
        lag(moment) over (partition by case_id order by place) as moment_before,
        lag(dataset) over (partition by case_id order by place) as dataset_before,
        lag(row_key) over (partition by case_id order by place) as row_key_before,
        lead(number) over (partition by case_id order by place) is null as newest
    from numbered
    where not anytime
)

select
    n.case_id,
    cast(n.place as bigint) as place,
    n.number,
    n.moment,
    n.actor,
    n.dataset,
    n.row_key,
    n.anytime,
    cast(n.times as bigint) as times,
    o.number_before,
    o.moment_before,
    o.dataset_before,
    o.row_key_before,
    coalesce(o.newest, false) as newest,
    cast(date_diff('microsecond', o.moment_before, n.moment) as bigint) as wait_us,
    n.anytime or s.number is not null as allowed
from numbered n
left join ordered o on o.case_id = n.case_id and o.place = n.place
left join step s on s.number_before = o.number_before and s.number = n.number
