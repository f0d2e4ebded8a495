-- One row: a segment with its members after the build, and how many joined and left.
select segment, sum(member) as members, sum(joined) as joined, sum(departed) as departed
from (
  select segment, 1 as member, 0 as joined, 0 as departed from wanted
  union all
  select segment, 0, 1, 0 from joined
  union all
  select segment, 0, 0, 1 from departed
) as moves
group by segment
order by segment
