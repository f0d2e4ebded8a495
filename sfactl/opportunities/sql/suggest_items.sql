-- One row: a product that is in enough baskets to be told about, with how many. Of too many the most frequent count.
select sku, count(*) as baskets
from baskets
group by sku
having count(*) >= $least
order by baskets desc, sku
limit {products}
