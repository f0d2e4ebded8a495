-- One row: how many customers were in one class at the first time and in another at the second; null where in none.
select m.from_class, m.to_class, m.customers
from (
  select a.class as from_class, b.class as to_class, count(*) as customers
  from (select lead_id, class from layer_before) as a
  full join (select lead_id, class from layer_after) as b on b.lead_id = a.lead_id
  group by a.class, b.class
) as m
left join class_places as f on f.class = m.from_class
left join class_places as t on t.class = m.to_class
order by f.place nulls last, m.from_class nulls last, t.place nulls last, m.to_class nulls last
