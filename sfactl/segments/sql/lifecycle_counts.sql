-- One row: customers with equal figures: days with an order after the first, days to the last order and to now, how many.
select x, last_days, age_days, count(*) as customers, min(first_at) as first_at, max(last_at) as last_at
from buyers
group by x, last_days, age_days
order by x, last_days, age_days
