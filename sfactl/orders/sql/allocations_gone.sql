-- One row is the key of an allocation that is no more.
select a.allocation_id
from allocations a
join touched t on t.receivable_id = a.receivable_id
left join allocations_now n on n.allocation_id = a.allocation_id
where n.allocation_id is null
