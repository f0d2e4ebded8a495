-- One row: a product with its family, what was paid for one on average in a currency, and how many customers have it.
select b.sku, p.family, b.currency, coalesce(p.active, true) as active,
       cast(sum(b.amount) as double) / cast(sum(b.quantity) as double) as price, count(distinct b.lead_id) as customers
from bought as b
join products as p on p.sku = b.sku
where p.family is not null and p.family <> ''
group by b.sku, p.family, b.currency, coalesce(p.active, true)
