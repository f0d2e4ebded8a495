-- One row is a part of the cohort: its leads, how many came to the outcome asked for, and how many are still under way.
select
    part,
    cast(count(*) as bigint) as leads,
    cast(sum(case when $outcome = 'won' then won when reached >= $stage_no then 1 else 0 end) as bigint) as hits,
    cast(sum(case when reached between 1 and 4 and won = 0 and lost = 0 then 1 else 0 end) as bigint) as under_way
from journey
group by part
order by part
