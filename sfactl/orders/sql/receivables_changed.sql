-- One row is a receivable of the page that is new, or says something else than what we hold.
select have.* replace (
    n.receivable_id as receivable_id,
    coalesce(o.order_id, have.order_id) as order_id,
    coalesce(a.account_id, o.account_id, have.account_id) as account_id,
    n.invoice_number as invoice_number, n.erp as erp, n.erp_id as erp_id,
    n.invoiced_on as invoiced_on, n.due_on as due_on, n.currency as currency, n.amount as amount,
    case when n.cancelled then 'cancelled' when have.state = 'cancelled' then 'open' else coalesce(have.state, 'open') end
        as state,
    n.updated_at as updated_at, n.customer_ref as customer_ref,
    case when n.cancelled then coalesce(have.cancelled_on, cast(n.updated_at as date)) end as cancelled_on
)
from receivables_in n
left join receivables have on have.receivable_id = n.receivable_id
left join orders o on o.order_id = n.order_id
left join record_aliases x on x.entity = 'account' and x.id = n.account_id
left join accounts a on a.account_id = coalesce(x.root_id, n.account_id)
where have.receivable_id is null
   or (n.updated_at >= have.updated_at
       and (n.invoice_number is distinct from have.invoice_number
            or n.invoiced_on is distinct from have.invoiced_on
            or n.due_on is distinct from have.due_on
            or n.currency is distinct from have.currency
            or n.amount is distinct from have.amount
            or n.customer_ref is distinct from have.customer_ref
            or n.cancelled is distinct from (have.state = 'cancelled')
            or coalesce(o.order_id, have.order_id) is distinct from have.order_id
            or coalesce(a.account_id, o.account_id, have.account_id) is distinct from have.account_id))
qualify row_number() over (partition by n.receivable_id order by n.updated_at desc) = 1
