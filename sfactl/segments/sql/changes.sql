-- One row: a segment with its members after the build, and how many joined and left.
select segment, cast(sum(member) as bigint) as members, cast(sum(joined) as bigint) as joined,
       cast(sum(departed) as bigint) as departed
from (
  select segment, count(*) as member, 0 as joined, 0 as departed from segment_members group by segment
  union all
  select segment, count(*), count(*), 0 from joined group by segment
  union all
  select segment, -count(*), 0, count(*) from departed group by segment
) as moves
group by segment
order by segment
