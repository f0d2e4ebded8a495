-- One row is an order of year, month and day: dates it cannot read, rows that would go back, how long cases would last.
with days as (
    select
        "row",
        case_id,
        micros,
        o.name,
        try_cast(
            concat(
                lpad(cast(case o.year_at when 1 then one else three end as varchar), 4, '0'),
                '-',
                lpad(
                    cast(
                        case
                            when o.swapped and two <= 12 and three <= 12 then three
                            when o.month_at = 1 then one
                            when o.month_at = 2 then two
                            else three
                        end as varchar
                    ), 2, '0'
                ),
                '-',
                lpad(
                    cast(
                        case
                            when o.swapped and two <= 12 and three <= 12 then two
                            when o.day_at = 1 then one
                            when o.day_at = 2 then two
                            else three
                        end as varchar
                    ), 2, '0'
                )
            ) as date
        ) as day
    from log_part
    cross join date_order o
    where (o.year_at = 1 and year_first) or (o.year_at = 3 and year_last)
),

moments as (
    select
        name,
        case_id,
        "row",
        cast(day as timestamp) + to_microseconds(micros) as moment
    from days
),

followed as (
    select
        name,
        case_id,
        moment,
        case
            when moment < lag(moment) over (partition by name, case_id order by "row") then 1
            else 0
        end as backwards
    from moments
),

spans as (
    select
        name,
        case_id,
        count(*) - count(moment) as unread,
        sum(backwards) as backwards,
        date_diff('microsecond', min(moment), max(moment)) / 86400000000.0 as days
    from followed
    group by name, case_id
)

select
    name,
    cast(sum(unread) as bigint) as unread,
    cast(sum(backwards) as bigint) as backwards,
    coalesce(avg(days), 0) as span_days
from spans
group by name
