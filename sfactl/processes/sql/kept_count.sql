-- One row is a deadline: how many were kept, late, missed, are still waiting, or no longer counted.
select
    deadline,
    cast(count(case when state = 'kept' then 1 end) as bigint) as kept,
    cast(count(case when state = 'late' then 1 end) as bigint) as late,
    cast(count(case when state = 'missed' then 1 end) as bigint) as missed,
    cast(count(case when state = 'waiting' then 1 end) as bigint) as waiting,
    cast(count(case when state = 'void' then 1 end) as bigint) as void
from kept
group by deadline
