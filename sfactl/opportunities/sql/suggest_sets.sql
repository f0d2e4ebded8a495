-- One row: three products that are in enough baskets together, with how many; each two of them are frequent pairs.
select p.one, p.two, c.sku as three, count(*) as baskets
from pairs as p
join small_baskets as a on a.sku = p.one
join small_baskets as b on b.basket = a.basket and b.sku = p.two
join small_baskets as c on c.basket = a.basket and c.sku > p.two
join pairs as q on q.one = p.one and q.two = c.sku
join pairs as r on r.one = p.two and r.two = c.sku
group by p.one, p.two, c.sku
having count(*) >= $least
