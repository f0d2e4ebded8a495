-- One row: a score with the number of leads that have a stored value, and when one last changed.
select score, count(*) as leads, max(as_of) as last_changed
from scores
group by score
