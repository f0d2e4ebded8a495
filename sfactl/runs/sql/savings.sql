-- One row is a job under one declaration of minutes: its runs that did something within the time, and their items.
select
    job,
    count(*) as runs,
    cast(coalesce(sum(items), 0) as bigint) as items,
    coalesce(minutes_per_run, 0) as per_run,
    coalesce(minutes_per_item, 0) as per_item
from runs
where
    state in ('done', 'partly')
    and due_at >= $since and due_at < $until
group by job, coalesce(minutes_per_run, 0), coalesce(minutes_per_item, 0)
order by job, per_run, per_item
