-- One row is an order, newest first.
select 'O-' || o.order_id as "order", o.status, o.amount, o.currency, o.at, a.name as account, o.product_name, o.owner,
       o.opportunity_id, 'Q-' || o.quote_id as quote, o.erp, o.erp_number
from orders o
left join accounts a on a.account_id = o.account_id
where $status is null or o.status = $status
order by o.order_id desc
