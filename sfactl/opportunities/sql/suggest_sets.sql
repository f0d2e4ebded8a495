-- One row: three products that are in enough baskets together, with how many; each two of them are frequent pairs.
select t.one, t.two, t.three, t.baskets
from (
  select p.one, p.two, c.item as three, count(*) as baskets
  from (
    select a.basket, f.one, f.two
    from held as a
    join held as b on b.basket = a.basket and a.item < b.item
    join pairs as f on f.one = a.item and f.two = b.item
  ) as p
  join held as c on c.basket = p.basket and c.item > p.two
  group by p.one, p.two, c.item
  having count(*) >= $least
) as t
join pairs as q on q.one = t.one and q.two = t.three
join pairs as r on r.one = t.two and r.two = t.three
