-- One row per step and action of two plans compared (the table moved): how many joined and left, and why they left.
select step, case when "after" in ('send', 'task') then "after" else "before" end as action,
    cast(sum(case when "after" in ('send', 'task') and "before" not in ('send', 'task') then 1 else 0 end)
        as bigint) as joined,
    cast(sum(case when "before" in ('send', 'task') and "after" not in ('send', 'task') then 1 else 0 end)
        as bigint) as gone,
    max(case when "after" not in ('send', 'task') then reason end) as why
from moved
group by 1, 2
order by 1, 2
