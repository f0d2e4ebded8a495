-- One row: a segment with its stored members and when the last of them joined.
select segment, count(*) as members, max(since) as last_joined
from segment_members
group by segment
