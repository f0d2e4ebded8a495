-- One row: a customer with the figures and the class that the layer found.
select f.lead_id, l.full_name, l.company, f.class, f.code, f.last_at, f.days, f.orders, f.value, f.recency, f.frequency, f.third
from {fresh} as f
left join leads as l on l.lead_id = f.lead_id
where cast($class as varchar) is null or f.class = $class
order by f.lead_id
