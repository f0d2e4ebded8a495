-- One row is a period and a kind of work: how much was done in it, and how much of that went wrong.
select
    p.name as period,
    $what as what,
    cast(count(*) as bigint) as done,
    cast(count(case when d.wrong then 1 end) as bigint) as erroneous
from work d
inner join period p on d.moment >= p.since_at and d.moment < p.until_at
group by p.name
