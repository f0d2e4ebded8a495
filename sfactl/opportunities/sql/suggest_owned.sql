-- One row: a product that a customer has bought, in one currency, with the order's number; cancelled orders do not count.
select o.lead_id, o.order_id, l.sku, coalesce(o.currency, '') as currency,
       sum(case when l.quantity > 0 then l.quantity else 0 end) as quantity,
       sum(case when l.quantity > 0 then l.amount else 0 end) as amount
from order_lines as l
join orders as o on o.order_id = l.order_id
where o.lead_id is not null and l.sku is not null and o."at" <= $now and coalesce(o.status, '') <> 'cancelled'
group by o.lead_id, o.order_id, l.sku, coalesce(o.currency, '')
having sum(l.quantity) > 0
