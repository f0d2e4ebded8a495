-- One row is an order whose status is another one after this commit: invoiced, paid, or back to what it was before.
with every as (
    select receivable_id, order_id, amount, state from receivables_out
    union all
    select v.receivable_id, v.order_id, v.amount, v.state
    from receivables_now v
    left join receivables_out o on o.receivable_id = v.receivable_id
    where o.receivable_id is null
),
concerned as (
    select order_id from receivables_out
    union
    select v.order_id from receivables v join touched t on t.receivable_id = v.receivable_id
),
billed as (
    select order_id, sum(amount) as amount, max(case when state = 'settled' then 0 else 1 end) as still_open
    from every
    where state <> 'cancelled'
    group by order_id
),
told as (
    select o.order_id,
           case when o.status = 'cancelled' then o.status
                when b.order_id is not null and b.still_open = 0 and b.amount >= o.amount then 'paid'
                when b.order_id is not null then 'invoiced'
                when o.erp is not null then 'pushed'
                else 'open' end as status
    from orders o
    join concerned c on c.order_id = o.order_id
    left join billed b on b.order_id = o.order_id
)
select o.* replace (t.status as status, $now as updated_at)
from orders o
join told t on t.order_id = o.order_id
where t.status <> o.status
