-- One row per step, decision and reason of a run, with the number of leads. ``fresh``: they had not been decided about at
-- this step before. Reads walked.
select cast($at as timestamp) as "at", step, action, coalesce(reason, '') as reason, to_step,
    arrived is null or arrived >= $then as is_fresh, count(*) as leads
from walked
group by all
