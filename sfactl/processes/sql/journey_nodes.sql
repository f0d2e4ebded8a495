-- One row is a node: who is there and for how long, who ever came, who went past it without its data, and how long
-- those stayed who went on.
with furthest as (
    select
        lead_id,
        number
    from way
    where here
),

stood as (
    select
        number,
        count(case when here then 1 end) as here_now,
        count(*) as came,
        count(case when left_at is not null then 1 end) as went_on,
        quantile_cont(
            case when left_at is not null then date_diff('microsecond', reached_at, left_at) / 86400000000.0 end, 0.5
        ) as stayed_days,
        quantile_cont(
            case when here then date_diff('microsecond', reached_at, cast($now as timestamp)) / 86400000000.0 end, 0.5
        ) as so_far_days,
        sum(case when on_way then 1 else 0 end) as on_way
    from way
    group by number
),

overdue as (
    select
        w.number,
        count(*) as overdue
    from way w
    inner join node n on n.number = w.number
    where
        w.here
        and n.stay_micros is not null
        and w.reached_at + to_months(n.stay_months) + to_microseconds(n.stay_micros) < cast($now as timestamp)
    group by w.number
),

beyond as (
    select
        n.number,
        count(f.lead_id) as got_here
    from node n
    left join furthest f on f.number >= n.number
    group by n.number
)

select
    n.number,
    n.name,
    n.title,
    cast(coalesce(s.here_now, 0) as bigint) as here_now,
    s.so_far_days,
    cast(coalesce(o.overdue, 0) as bigint) as overdue,
    cast(coalesce(s.came, 0) as bigint) as came,
    cast(b.got_here as bigint) as got_here,
    cast(b.got_here - coalesce(s.on_way, 0) as bigint) as skipped,
    cast(coalesce(s.went_on, 0) as bigint) as went_on,
    s.stayed_days
from node n
inner join beyond b on b.number = n.number
left join stood s on s.number = n.number
left join overdue o on o.number = n.number
order by n.number
