-- One row per number that means a survivor from now on: the merged records, and what had been merged into them before.
select $entity as entity, merged_id as id, survivor_id as into_id, survivor_id as root_id, merge_id
from pairs
union all
select a.entity, a.id, a.into_id, p.survivor_id as root_id, a.merge_id
from record_aliases a
join pairs p on p.merged_id = a.root_id
where a.entity = $entity
