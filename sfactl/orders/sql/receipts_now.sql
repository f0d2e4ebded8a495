-- One row is a receipt as it will be after this commit.
select receipt_id, erp, invoice_erp_id, paid_on, currency, amount from receipts_changed
union all
select r.receipt_id, r.erp, r.invoice_erp_id, r.paid_on, r.currency, r.amount
from receipts r
left join receipts_changed c on c.receipt_id = r.receipt_id
where c.receipt_id is null
