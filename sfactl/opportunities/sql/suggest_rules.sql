-- One row: a rule, who has first (and second) has product as well: baskets with all, its support, confidence and lift.
-- A reason of two products counts only where it is surer than each of the two alone. Of too many the surest.
with single as (
  select p.one as first, p.two as product, p.baskets as together, i.baskets as with_reason
  from pairs as p join items as i on i.item = p.one
  union all
  select p.two, p.one, p.baskets, i.baskets from pairs as p join items as i on i.item = p.two
),
double as (
  select s.one as first, s.two as second, s.three as product, s.baskets as together, p.baskets as with_reason
  from sets as s join pairs as p on p.one = s.one and p.two = s.two
  union all
  select s.one, s.three, s.two, s.baskets, p.baskets from sets as s join pairs as p on p.one = s.one and p.two = s.three
  union all
  select s.two, s.three, s.one, s.baskets, p.baskets from sets as s join pairs as p on p.one = s.two and p.two = s.three
),
found as (
  select first, cast(null as integer) as second, product, together, with_reason from single
  union all
  select d.first, d.second, d.product, d.together, d.with_reason
  from double as d
  join single as a on a.first = d.first and a.product = d.product
  join single as b on b.first = d.second and b.product = d.product
  where d.together * a.with_reason > a.together * d.with_reason
    and d.together * b.with_reason > b.together * d.with_reason
)
select f.first, f.second, f.product, x.sku || coalesce(' + ' || y.sku, '') as because, i.sku, f.together,
       f.together / cast($baskets as double) as support, f.together / cast(f.with_reason as double) as confidence,
       f.together * cast($baskets as double) / (cast(f.with_reason as double) * i.baskets) as lift
from found as f
join items as i on i.item = f.product
join items as x on x.item = f.first
left join items as y on y.item = f.second
where f.together / cast(f.with_reason as double) >= $min_confidence
  and f.together * cast($baskets as double) / (cast(f.with_reason as double) * i.baskets) >= $min_lift
order by confidence desc, lift desc, because, i.sku
limit {rules}
