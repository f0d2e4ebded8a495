-- One row is something that we and the ERP say differently of a receivable open on that day; both values are given.
with pairs as (
    select coalesce(o.invoice, e.number) as invoice, coalesce(o.erp_id, e.invoice_id) as erp_id,
           o.erp_id is not null as here, e.invoice_id is not null as there,
           o.open_amount as our_open, e.open_amount as erp_open, o.currency as our_currency, e.currency as erp_currency,
           o.due_on as our_due, e.due_on as erp_due, o.order_id as our_order, e.order_id as erp_order
    from (select * from open_items where erp = $erp and open_amount <> 0) o
    full outer join erp_open e on e.invoice_id = o.erp_id
)
select invoice, erp_id, 'open amount' as what, coalesce(cast(our_open as varchar), 'nothing open') as ours,
       coalesce(cast(erp_open as varchar), 'nothing open') as erp
from pairs
where our_open is distinct from erp_open
union all
select invoice, erp_id, 'currency', our_currency, erp_currency
from pairs
where here and there and our_currency <> erp_currency
union all
select invoice, erp_id, 'due date', cast(our_due as varchar), cast(erp_due as varchar)
from pairs
where here and there and our_due <> erp_due
union all
select invoice, erp_id, 'order', coalesce('O-' || our_order, 'none'), coalesce('O-' || erp_order, 'none')
from pairs
where here and there and our_order is distinct from erp_order
order by invoice, erp_id, what
