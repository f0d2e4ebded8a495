-- One row is a node that a customer came to by its own data: when, and whether it is on the way, which only goes on.
with met as (
    select
        a.*,
        n.needs
    from arrival a
    inner join node n on n.number = a.number
    where a.holds and a.told_at <= cast($now as timestamp)
),

counted as (
    select
        m.lead_id,
        m.number,
        m.told_at
    from met m
    left join met b on b.lead_id = m.lead_id and b.number = m.needs
    where m.needs is null or b.told_at <= m.told_at
),

looked as (
    select
        *,
        -- Who was found further on before has not come back to this node: its data came after the fact.
        min(told_at) over (
            partition by lead_id order by number rows between 1 following and unbounded following
        ) as later_at
    from counted
),

passed as (
    select
        lead_id,
        number,
        told_at,
        later_at is null or told_at <= later_at as on_way
    from looked
)

select
    lead_id,
    number,
    told_at as reached_at,
    on_way,
    case
        when on_way then lead(told_at) over (partition by lead_id, on_way order by number)
    end as left_at,
    on_way and lead(told_at) over (partition by lead_id, on_way order by number) is null as here
from passed
