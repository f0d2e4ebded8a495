-- One row: how many dates have the year first and last, how many differ, and whether a day after the 12th is certain.
select
    cast(coalesce(sum(case when year_first then 1 else 0 end), 0) as bigint) as first_years,
    cast(coalesce(sum(case when year_last and not year_first then 1 else 0 end), 0) as bigint) as last_years,
    cast(count(distinct (one, two, three)) as bigint) as different,
    coalesce(max(case when year_first then three > 12 else one > 12 or two > 12 end), false) as beyond_twelve,
    coalesce(
        min(case when year_first and two > 12 then written end),
        min(case when year_first or year_last then written end),
        min(written)
    ) as sample
from log_part
