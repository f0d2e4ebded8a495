-- One row: a product that is in enough baskets to be told about, with its number and how many. Of too many the most frequent.
select sku, baskets, cast(row_number() over (order by sku) as integer) as item
from (
  select sku, count(*) as baskets
  from baskets
  group by sku
  having count(*) >= $least
  order by baskets desc, sku
  limit {products}
) as frequent
