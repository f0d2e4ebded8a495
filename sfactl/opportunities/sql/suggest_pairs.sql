-- One row: two products that are in enough baskets together, with how many. Of too many the most frequent count.
select a.sku as one, b.sku as two, count(*) as baskets
from small_baskets as a
join small_baskets as b on b.basket = a.basket and a.sku < b.sku
group by a.sku, b.sku
having count(*) >= $least
order by baskets desc, one, two
limit {pairs}
