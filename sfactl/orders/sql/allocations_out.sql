-- One row is an allocation that is new or another than before.
select n.*
from allocations_now n
left join allocations a on a.allocation_id = n.allocation_id
where a.allocation_id is null or a.amount <> n.amount or a.allocated_on <> n.allocated_on
   or a.currency <> n.currency or a.kind <> n.kind or a.claimed is distinct from n.claimed
