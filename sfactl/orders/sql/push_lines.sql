-- One row is a line of an order that is to be pushed.
select l.order_id, l.line_no, l.sku, coalesce(l.product_name, l.sku) as description, l.quantity, l.unit_price, l.amount
from order_lines l
where list_contains($orders, l.order_id)
order by l.order_id, l.line_no
