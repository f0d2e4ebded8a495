-- One row is a variant: the activities of a case in their order, how many cases went that way, and whether it is allowed.
select
    way,
    cast(count(*) as bigint) as cases,
    max(wrong) = 0 as allowed,
    cast(quantile_cont(worked_us, 0.5) as bigint) as median_us,
    min(case_id) as example
from (
    select
        t.case_id,
        string_agg(cast(t.number as varchar), ' ' order by t.place) as way,
        max(c.wrong) as wrong,
        max(c.worked_us) as worked_us
    from trace t
    inner join replayed c on c.case_id = t.case_id
    where not t.anytime
    group by t.case_id
)
group by way
order by cases desc, way
