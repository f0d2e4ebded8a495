-- One row is a kind of step: how often it was gone, how long it took; over all rows total_us is the time of all cases.
select
    number_before,
    number,
    cast(count(*) as bigint) as times,
    cast(count(distinct case_id) as bigint) as cases,
    cast(sum(wait_us) as bigint) as total_us,
    cast(quantile_cont(wait_us, 0.5) as bigint) as median_us,
    allowed
from trace
where moment_before is not null
group by number_before, number, allowed
order by total_us desc, number_before, number
