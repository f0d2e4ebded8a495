-- One row: a rule, who has first (and second) has product as well: baskets with all, its support, confidence and lift.
select first, second, product, together, together / cast($baskets as double) as support,
       together / cast(with_reason as double) as confidence,
       together * cast($baskets as double) / (cast(with_reason as double) * i.baskets) as lift
from (
  select one as first, cast(null as varchar) as second, two as product, p.baskets as together, a.baskets as with_reason
  from pairs as p join items as a on a.sku = p.one
  union all
  select two, cast(null as varchar), one, p.baskets, a.baskets
  from pairs as p join items as a on a.sku = p.two
  union all
  select s.one, s.two, s.three, s.baskets, p.baskets from sets as s join pairs as p on p.one = s.one and p.two = s.two
  union all
  select s.one, s.three, s.two, s.baskets, p.baskets from sets as s join pairs as p on p.one = s.one and p.two = s.three
  union all
  select s.two, s.three, s.one, s.baskets, p.baskets from sets as s join pairs as p on p.one = s.two and p.two = s.three
) as found
join items as i on i.sku = found.product
where together / cast(with_reason as double) >= $min_confidence
  and together * cast($baskets as double) / (cast(with_reason as double) * i.baskets) >= $min_lift
