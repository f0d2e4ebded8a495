-- One row: a customer and a category (null: none), with its rows and its weight after fading. Exact sums, so that the
-- order of rows cannot show in the last digit.
select lead_id, category, cast(sum(counted) as bigint) as rows, sum(cast(weight * {fading} as decimal(28, 9))) as weight, max("at") as last_at
from ({source}) as seen
where lead_id is not null and "at" <= $now{since}
group by lead_id, category
