-- One row per currency of a feed: its orders, what was told of them in all, and what they come to now.
select coalesce(t.currency, '') as currency, count(*) as orders, cast(sum(t.told) as decimal(38, 4)) as told,
    cast(sum(case when o.status = 'cancelled' or o.order_id is null then 0 else o.amount end) as decimal(38, 4)) as now
from (
    select order_id, max(currency) as currency, sum(amount) as told from feeds where feed = $feed group by order_id
) t
left join orders o on o.order_id = t.order_id
group by coalesce(t.currency, '')
order by 1
