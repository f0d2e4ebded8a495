-- One row is a part: its leads, what was paid for them, and what their deals brought in.
with met as (
    select
        part,
        count(*) as leads,
        sum(case when reached >= 2 then 1 else 0 end) as sql_leads,
        sum(won) as customers
    from journey
    group by part
),

paid as (
    select
        part,
        sum(cost) as cost,
        sum(case when cost is null then 1 else 0 end) as no_rate
    from spent
    group by part
),

brought as (
    select
        part,
        sum(earned) as revenue,
        sum(case when earned is null and amount is not null then 1 else 0 end) as no_rate
    from earned
    group by part
)

select
    coalesce(m.part, p.part) as part,
    cast(coalesce(m.leads, 0) as bigint) as leads,
    cast(coalesce(m.sql_leads, 0) as bigint) as sql_leads,
    cast(coalesce(m.customers, 0) as bigint) as customers,
    cast(coalesce(p.cost, 0) as decimal(18, 4)) as cost,
    cast(coalesce(b.revenue, 0) as decimal(18, 4)) as revenue,
    cast(coalesce(p.no_rate, 0) as bigint) as costs_no_rate,
    cast(coalesce(b.no_rate, 0) as bigint) as deals_no_rate
from met m
full join paid p on p.part = m.part
left join brought b on b.part = coalesce(m.part, p.part)
order by cost desc, leads desc, part
