-- One row is a receivable as it will be after this commit, its state still to be told.
select * from receivables_changed
union all
select v.*
from receivables v
left join receivables_changed c on c.receivable_id = v.receivable_id
where c.receivable_id is null
