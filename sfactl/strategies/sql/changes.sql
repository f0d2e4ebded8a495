-- One row per step and action of two plans compared (the table moved): how many joined and left.
select step, action, cast(sum(joined) as bigint) as joined, cast(sum(gone) as bigint) as gone
from (
    select step, "after" as action, 1 as joined, 0 as gone from moved where "after" <> '' and "after" <> "before"
    union all
    select step, "before" as action, 0 as joined, 1 as gone from moved where "before" <> '' and "after" <> "before"
)
group by step, action
order by step, action
