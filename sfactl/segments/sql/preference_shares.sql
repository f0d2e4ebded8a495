-- One row: the share of a category for a customer, in millionths; those of one customer add up to exactly a million.
-- What rounding down leaves goes to the largest remainders, equal ones by the name of the category. (A division that was
-- rounded up to a whole number can make it one too many; it is taken from the smallest remainder.)
with known as (
  select lead_id, category, rows, cast(weight as double) as weight, last_at,
         cast(sum(weight) over (partition by lead_id) as double) as total, sum(rows) over (partition by lead_id) as all_rows
  from seen_categories
  where category is not null and weight > 0
),
parts as (
  select *, cast(floor(1000000 * weight / total) as bigint) as part,
         1000000 * weight / total - floor(1000000 * weight / total) as remainder
  from known
  where all_rows >= $min_rows
),
placed as (
  select *, 1000000 - sum(part) over (partition by lead_id) as missing,
         row_number() over (partition by lead_id order by remainder desc, category) as place,
         row_number() over (partition by lead_id order by remainder, category desc) as last_place
  from parts
)
select lead_id, category, cast(rows as bigint) as rows, cast(weight as double) as weight, last_at, cast(all_rows as bigint) as all_rows,
       cast(part + case when place <= missing then 1 when last_place <= -missing then -1 else 0 end as bigint) as millionths
from placed
