-- One row: a customer with what they prefer: the largest share, of equal ones the latest, then the first by name.
select lead_id, last_at, days, orders, category as class, millionths / 1000000.0 as value,
       cast(null as varchar) as code, cast(null as bigint) as recency, cast(null as bigint) as frequency,
       cast(null as bigint) as third
from (
  select lead_id, category, millionths, all_rows as orders, max(last_at) over (partition by lead_id) as last_at,
         date_diff('day', cast(max(last_at) over (partition by lead_id) as date), cast($now as date)) as days,
         row_number() over (partition by lead_id order by millionths desc, last_at desc, category) as place
  from shares
) as ranked
where place = 1 and millionths >= $least
