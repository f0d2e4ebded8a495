-- One row is a part in a period that had costs for it: the money, spread over its days, and the leads that came of it.
-- The place in braces is the length of a period, an interval.
with shares as (
    select
        part,
        greatest(spent_on, coalesce(cast($since as date), spent_on)) as first_on,
        least(spent_until, coalesce(cast($until as date), spent_until), cast($seen_on as date)) as last_on,
        cast(cost as double) / days_in as a_day
    from spent
    where cost is not null
),

periods as (
    select cast(start as date) as start_on, cast(start + interval '{step}' as date) - 1 as end_on
    from (
        select unnest(generate_series(
            date_trunc($every, (select min(first_on) from shares)),
            cast((select max(last_on) from shares) as timestamp),
            interval '{step}'
        )) as start
    )
),

paid as (
    select
        s.part,
        p.start_on,
        sum(s.a_day * (date_diff('day', greatest(s.first_on, p.start_on), least(s.last_on, p.end_on)) + 1)) as cost
    from shares s
    join periods p on p.start_on <= s.last_on and p.end_on >= s.first_on
    group by s.part, p.start_on
),

came as (
    select part, cast(date_trunc($every, lead_on) as date) as start_on, count(*) filter (where hit = 1) as results
    from fact
    where lead_on is not null
    group by 1, 2
)

select p.part, p.start_on, p.cost, cast(coalesce(c.results, 0) as bigint) as results
from paid p
left join came c on c.part = p.part and c.start_on = p.start_on
order by p.part, p.start_on
