-- One row per step and action of two plans compared (the table moved): how many joined and left, and why they left.
select step, case when action_after in ('send', 'task') then action_after else action_before end as action,
    cast(sum(case when action_after in ('send', 'task') and action_before not in ('send', 'task') then 1 else 0 end)
        as bigint) as joined,
    cast(sum(case when action_before in ('send', 'task') and action_after not in ('send', 'task') then 1 else 0 end)
        as bigint) as gone,
    max(case when action_after not in ('send', 'task') then reason end) as why
from moved
group by 1, 2
order by 1, 2
