-- One row is a receivable whose allocations may be others after this commit.
select receivable_id from receivables_changed
union
select v.receivable_id
from receipts_changed r
join receivables_now v on v.erp = r.erp and v.erp_id = r.invoice_erp_id
union
select a.receivable_id
from allocations a
join receipts_changed r on r.receipt_id = a.receipt_id
union
select receivable_id from claims_in
union
select v.receivable_id
from claims_in c
join receipts_now r on r.receipt_id = c.receipt_id
join receivables_now v on v.erp = r.erp and v.erp_id = r.invoice_erp_id
