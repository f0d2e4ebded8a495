-- One row: from a product the next dearer one of its family (by $min_step at least) that enough of its buyers have too, in
-- one currency.
select first, product, family, currency, price, next_price, together, with_reason
from (
  select a.sku as first, b.sku as product, a.family, a.currency, a.price, b.price as next_price, t.together,
         a.customers as with_reason,
         row_number() over (partition by a.sku, a.currency order by b.price, t.together desc, b.sku) as step
  from priced as a
  join priced as b on b.family = a.family and b.currency = a.currency and b.price >= a.price * (1 + $min_step) and b.price > a.price and b.active
  join (
    select x.sku as one, y.sku as two, count(*) as together
    from owned as x
    join priced as px on px.sku = x.sku and px.currency = x.currency
    join priced as py on py.family = px.family and py.currency = px.currency and py.price > px.price and py.price >= px.price * (1 + $min_step)
    join owned as y on y.lead_id = x.lead_id and y.currency = x.currency and y.sku = py.sku
    group by x.sku, y.sku, x.currency
    having count(*) >= $least
  ) as t on t.one = a.sku and t.two = b.sku
) as steps
where step = 1
