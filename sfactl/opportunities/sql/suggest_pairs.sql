-- One row: two products that are in enough baskets together, with how many. Of too many the most frequent.
select a.item as one, b.item as two, count(*) as baskets
from held as a
join held as b on b.basket = a.basket and a.item < b.item
group by a.item, b.item
having count(*) >= $least
order by baskets desc, one, two
limit {pairs}
