-- One row is a receipt of the page that is new, or says something else than what we hold.
select have.* replace (
    n.receipt_id as receipt_id, coalesce(a.account_id, have.account_id) as account_id, n.erp as erp,
    n.erp_id as erp_id, n.paid_on as paid_on, n.kind as kind, n.currency as currency, n.amount as amount,
    n.updated_at as updated_at, n.invoice_erp_id as invoice_erp_id, n.customer_ref as customer_ref, n.reference as reference
)
from receipts_in n
left join receipts have on have.receipt_id = n.receipt_id
left join record_aliases x on x.entity = 'account' and x.id = n.account_id
left join accounts a on a.account_id = coalesce(x.root_id, n.account_id)
where have.receipt_id is null
   or (n.updated_at >= have.updated_at
       and (n.paid_on is distinct from have.paid_on
            or n.kind is distinct from have.kind
            or n.currency is distinct from have.currency
            or n.amount is distinct from have.amount
            or n.invoice_erp_id is distinct from have.invoice_erp_id
            or n.customer_ref is distinct from have.customer_ref
            or n.reference is distinct from have.reference
            or coalesce(a.account_id, have.account_id) is distinct from have.account_id))
qualify row_number() over (partition by n.receipt_id order by n.updated_at desc) = 1
