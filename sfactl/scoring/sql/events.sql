-- One row: a score that changed in the run $run; the first value is a change unless it is 0.
select left($run, 16) || ':' || score || ':' || cast(lead_id as varchar) as event_id, cast($at as timestamp) as at,
       lead_id, score, points, previous
from changed
where points <> coalesce(previous, 0)
