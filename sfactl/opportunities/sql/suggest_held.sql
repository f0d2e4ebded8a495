-- One row: a basket and a product of it that is in enough baskets, by number.
select b.basket, i.item, count(*) over (partition by b.basket) as width
from baskets as b
join items as i on i.sku = b.sku
