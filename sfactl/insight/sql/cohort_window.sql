-- One row is a cohort: of its leads that were seen for the whole window, how many came to the outcome within it.
select
    part,
    cast(count(*) as bigint) as leads,
    cast(sum(case when lead_on <= cast($last_on as date) then 1 else 0 end) as bigint) as mature,
    cast(
        sum(
            case
                when lead_on <= cast($last_on as date) and hit = 1 and date_diff('day', lead_on, outcome_on) <= $window
                    then 1
                else 0
            end
        ) as bigint
    ) as converted
from fact
where lead_on is not null
group by part
order by part
