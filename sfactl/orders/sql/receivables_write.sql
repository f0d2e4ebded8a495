-- One row is a receivable that is new or another than before.
select o.*
from receivables_out o
left join receivables have on have.receivable_id = o.receivable_id
left join receivables_changed c on c.receivable_id = o.receivable_id
where c.receivable_id is not null or have.state is distinct from o.state
