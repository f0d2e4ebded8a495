-- One row: a score with how many stored values are new, go up, go down or go away.
select score, sum(added) as added, sum(up) as up, sum(down) as down, sum(gone) as gone
from (
  select score, case when is_new then 1 else 0 end as added,
         case when points > previous then 1 else 0 end as up,
         case when points < previous then 1 else 0 end as down, 0 as gone
  from changed
  union all
  select score, 0, 0, 0, 1 from gone
) as moves
group by score
