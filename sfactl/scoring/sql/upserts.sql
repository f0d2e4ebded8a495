-- One row: the new stored value of a lead's score, computed at $at.
select lead_id, score, points, grade, cast($at as timestamp) as as_of, strategy
from changed
