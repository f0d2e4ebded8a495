-- One row: a customer, with days on which they ordered again, days from first to last order and from first to $now, and trend.
-- An order with a sum below 0 is a refund and no order.
with counted as (
  select lead_id, cast("at" as date) as day, "at", case when {measured} then {measure} else 0 end as measure
  from orders
  where lead_id is not null and "at" <= $now and coalesce(amount, 0) >= 0 and coalesce(status, '') not in (select state from left_out)
)
select lead_id, count(distinct day) - 1 as x, count(*) as orders,
       min("at") as first_at, max("at") as last_at,
       date_diff('day', min(day), max(day)) as last_days,
       date_diff('day', min(day), cast($now as date)) as age_days,
       date_diff('day', max(day), cast($now as date)) as days,
       cast(coalesce(sum(case when "at" >= $window_from then measure end), 0) as double) as lately,
       cast(coalesce(sum(case when "at" < $window_from and "at" >= $before_from then measure end), 0) as double) as earlier
from counted
group by lead_id
