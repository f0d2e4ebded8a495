-- One row per merge that is to be made: its number, the first number of those into the same survivor, and both records.
-- Reads the table asked: survivor_id, merged_id, place (1, 2 … within a survivor) and probability.
select merge_id, min(merge_id) over (partition by survivor_id) as group_id, survivor_id, merged_id, place, probability
from (
    select cast($first as bigint) - 1 + row_number() over (order by survivor_id, place) as merge_id,
        survivor_id, merged_id, place, probability
    from asked
)
