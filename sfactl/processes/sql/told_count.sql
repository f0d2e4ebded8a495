-- One row is an activity: its rows that belong to a case, and those that belong to none.
select
    number,
    cast(count(case_id) as bigint) as linked,
    cast(count(*) - count(case_id) as bigint) as unlinked
from told
group by number
