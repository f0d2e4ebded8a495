-- One row is a receivable that counted on the day $on, with what had been allocated to it by then.
select v.invoice_number as invoice, v.receivable_id, v.order_id, v.account_id,
       coalesce(a.name, v.customer_ref, '') as customer, v.erp, v.erp_id, v.invoiced_on, v.due_on, v.currency, v.amount,
       cast(coalesce(g.amount, 0) as decimal(18,4)) as allocated,
       cast(v.amount - coalesce(g.amount, 0) as decimal(18,4)) as open_amount,
       date_diff('day', v.due_on, cast($on as date)) as days_overdue
from receivables v
left join accounts a on a.account_id = v.account_id
left join (
    select receivable_id, sum(amount) as amount from allocations where allocated_on <= $on group by receivable_id
) g on g.receivable_id = v.receivable_id
where v.invoiced_on <= $on and (v.cancelled_on is null or v.cancelled_on > $on)
