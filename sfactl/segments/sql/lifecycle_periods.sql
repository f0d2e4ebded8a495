-- One row: a customer in exactly one period of life; value is P(alive), null where the rule of silence stood in.
select lead_id, last_at, first_at, days, orders, x, age_days, last_days, lately, earlier, alive as value, silent,
       cast(null as varchar) as code, cast(null as bigint) as recency, cast(null as bigint) as frequency,
       cast(null as bigint) as third,
       case when (alive is not null and alive < $alive_below) or (alive is null and silent) then 'decline'
            when first_at >= $young_from then 'acquisition'
            when lately > earlier then 'growth'
            else 'maturity' end as class
from (
  select *, case when x > 0 then {alive} end as alive, last_at < $silent_from as silent from buyers
) as judged
