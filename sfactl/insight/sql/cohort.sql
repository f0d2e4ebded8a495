-- One row is a cohort at an age: how many had come to the outcome within so many days of their first contact.
with aged as (
    select
        f.part,
        f.lead_on,
        f.hit,
        a.age,
        case when f.hit = 1 and date_diff('day', f.lead_on, f.outcome_on) <= a.age * $step then 1 else 0 end as within,
        date_diff('day', f.lead_on, cast($seen_on as date)) as seen_days
    from fact f
    cross join (select unnest(range(1, $ages + 1)) as age) a
    where f.lead_on is not null
)

select
    part,
    cast(age * $step as bigint) as days,
    cast(count(*) as bigint) as leads,
    cast(sum(within) as bigint) as converted,
    cast(sum(hit) as bigint) as ever,
    min(seen_days) >= age * $step and max(lead_on) <= cast($seen_on as date)
    and case $by
        when 'week' then cast(date_trunc('week', max(lead_on)) as date) + 6
        when 'quarter' then last_day(cast(date_trunc('quarter', max(lead_on)) as date) + 63)
        else last_day(max(lead_on))
    end <= cast($seen_on as date) as complete
from aged
group by part, age
having max(seen_days) > (age - 1) * $step
order by part, age
