-- One row is a currency: what the cohort ordered, and what was billed and paid for it.
with ordered as (
    select
        o.order_id,
        o.currency,
        o.amount
    from orders o
    join journey j on j.lead_id = o.lead_id
    where o.status <> 'cancelled'
),

settled as (
    select
        r.order_id,
        sum(a.amount) as amount
    from receivables r
    join allocations a on a.receivable_id = r.receivable_id
    group by r.order_id
)

select
    o.currency,
    cast(count(*) as bigint) as orders,
    cast(sum(o.amount) as decimal(18, 4)) as ordered,
    cast(sum(coalesce(s.amount, 0)) as decimal(18, 4)) as paid
from ordered o
left join settled s on s.order_id = o.order_id
group by o.currency
order by 3 desc
