-- One row is a kind of deviation: how often, in how many cases, and the first of them.
select
    kind,
    number_before,
    number,
    deadline,
    cast(count(*) as bigint) as times,
    cast(count(distinct case_id) as bigint) as cases,
    min(case_id) as example
from deviations
group by kind, number_before, number, deadline
order by times desc, kind, number_before, number, deadline
