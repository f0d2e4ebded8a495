-- One row is a period and a kind of promise: how many fell due in it, were late, or still not kept when it ended.
select
    p.name as period,
    $what as what,
    cast(count(*) as bigint) as due,
    cast(count(case when d.met_at > d.due_at and d.met_at < p.until_at then 1 end) as bigint) as late,
    cast(count(case when d.met_at is null or d.met_at >= p.until_at then 1 end) as bigint) as missed
from promise d
inner join period p on d.due_at >= p.since_at and d.due_at < p.until_at
group by p.name
