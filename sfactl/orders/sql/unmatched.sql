-- One row is a receipt that, on the day $on, was not wholly allocated, and why.
select r.receipt_id as receipt, r.paid_on, r.kind, r.currency, r.amount,
       cast(r.amount - coalesce(g.amount, 0) as decimal(18,4)) as unapplied,
       coalesce(a.name, r.customer_ref, '') as customer, r.invoice_erp_id as invoice,
       case when coalesce(r.invoice_erp_id, '') = '' then 'names no invoice'
            when v.receivable_id is null then 'its invoice is not known'
            when v.currency <> r.currency then 'its invoice is in ' || v.currency
            when v.cancelled_on <= $on then 'its invoice is cancelled'
            when v.invoiced_on > $on then 'paid before its invoice'
            else 'more than its invoice asks for' end as reason
from receipts r
left join accounts a on a.account_id = r.account_id
left join receivables v on v.erp = r.erp and v.erp_id = r.invoice_erp_id
left join (
    select receipt_id, sum(amount) as amount from allocations where allocated_on <= $on group by receipt_id
) g on g.receipt_id = r.receipt_id
where r.paid_on <= $on and r.amount <> coalesce(g.amount, 0)
order by r.paid_on, r.receipt_id
